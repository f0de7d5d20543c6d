//! The facts, asked for side by side.

use std::collections::BTreeSet;

use dacapo::ErrorKind;
use dacapo_domain::Manifest;
use jiff::SignedDuration;

use super::{
    facts::Facts,
    finding::{Finding, Severity},
    tools::tools,
};
use crate::{
    context::{Context, Place},
    failure::{CliError, CliResult, exit},
    output::now,
    workspace,
};

/// The facts, and the finding that the place doesn't answer.
pub struct Asked {
    pub place: Option<Place>,
    pub facts: Facts,
    pub unreachable: Option<Finding>,
}

/// Asks for all facts of the place.
///
/// # Errors
/// As usage, if the app isn't named, or this build knows no AWS.
pub async fn facts(cx: &Context<'_>) -> CliResult<Asked> {
    let is_local = cx.global.local;
    let (tools, asked) = tokio::join!(tools(is_local), of_place(cx));
    let mut asked = asked?;
    asked.facts.tools = tools;
    Ok(asked)
}

async fn of_place(cx: &Context<'_>) -> CliResult<Asked> {
    let client = match cx.client().await {
        // Without a region there is nothing to ask, and all the more to say.
        Err(error) if error.code == exit::NO_ACCESS => return Ok(without_access(cx, error)),
        client => client?,
    };
    let (manifest, skew) = tokio::join!(client.manifest(), skew(&client));
    let mut facts = Facts { skew: skew.filter(|_| !cx.global.local), ..Facts::default() };
    let mut unreachable = None;
    match manifest {
        Ok(manifest) => {
            facts.health = Some(client.health().await.map_err(|error| error.to_string()));
            facts.crates = crates(&manifest);
            facts.manifest = Some((*manifest).clone());
        }
        Err(error) if !cx.global.local && error.kind() == ErrorKind::NotDeployed => {}
        Err(error) => unreachable = Some(does_not_answer(cx, error.into())),
    }
    facts.account = account(cx, facts.manifest.as_ref()).await;
    Ok(Asked { place: Some(cx.answered_by(&client).await), facts, unreachable })
}

fn without_access(cx: &Context<'_>, error: CliError) -> Asked {
    Asked { place: None, facts: Facts::default(), unreachable: Some(does_not_answer(cx, error)) }
}

fn does_not_answer(cx: &Context<'_>, error: CliError) -> Finding {
    let (check, next) = match cx.global.local {
        true => ("engine", "dacapo dev"),
        false => ("app", "see the findings on credentials and region, then the network"),
    };
    Finding { check, severity: Severity::Problem, found: error.message, next: Some(next.to_owned()), exit: error.code }
}

/// The clock of AWS, less this machine's.
async fn skew(client: &dacapo::Client) -> Option<SignedDuration> {
    let clock = &client.ports().clock;
    clock.synchronize().await.ok()?;
    Some(clock.now().duration_since(now()))
}

/// The crates that the workspace's `functions` holds, where it is this app's.
fn crates(manifest: &Manifest) -> Option<BTreeSet<String>> {
    let root = workspace::here().ok()?;
    if workspace::app(&root).ok()? != manifest.app {
        return None;
    }
    let folders = std::fs::read_dir(root.join("functions")).ok()?.flatten();
    let crates = folders.filter(|folder| folder.path().join("Cargo.toml").is_file());
    Some(crates.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect())
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "the signature of the one that asks")]
async fn account(_: &Context<'_>, _: Option<&Manifest>) -> Option<super::facts::Account> {
    None
}

#[cfg(feature = "aws")]
use of_account::account;

#[cfg(feature = "aws")]
mod of_account {
    use dacapo_aws::{Inspector, Metric};
    use dacapo_domain::{APP_DLQ, CONDUCTOR, FunctionEntry, Manifest};
    use futures::{StreamExt, stream};

    use super::super::facts::{Account, Known, Lambda, Stack};
    use crate::context::Context;

    /// Functions that are looked at at once.
    const AT_ONCE: usize = 10;

    /// Asks the account. `None` on an engine of this machine.
    pub async fn account(cx: &Context<'_>, manifest: Option<&Manifest>) -> Option<Account> {
        if cx.global.local {
            return None;
        }
        let (app, stage) = (crate::context::app(&cx.global).ok()?, &cx.global.stage);
        let nothing = |why: String| Account::unknown(format!("{app}-{stage}"), why);
        let inspector = match Inspector::of(&app, stage, &cx.global.access()).await {
            Ok(inspector) => inspector,
            Err(error) => return Some(nothing(error.to_string())),
        };
        let identity = match inspector.identity().await {
            Ok(identity) => identity,
            Err(error) => return Some(nothing(error.to_string())),
        };
        let prefix = format!("{app}-{stage}");
        let functions = manifest.map(|manifest| &*manifest.functions).unwrap_or_default();
        let (stack, functions, in_flight, app_dlq, numbers) = tokio::join!(
            stack(&inspector),
            lambdas(&inspector, functions),
            in_flight(&inspector, &identity.0, functions),
            inspector.messages(&identity.0, APP_DLQ),
            numbers(&inspector, &prefix),
        );
        let (concurrency, executions, scheduler_throttles, heartbeats) = numbers;
        Some(Account {
            stack_name: prefix,
            region: inspector.region().to_owned(),
            identity: Ok(identity),
            stack,
            functions,
            in_flight,
            app_dlq: app_dlq.map(|(waiting, in_flight)| waiting + in_flight).map_err(|error| error.to_string()),
            concurrency,
            executions,
            scheduler_throttles,
            heartbeats,
        })
    }

    async fn stack(inspector: &Inspector) -> Known<Option<Stack>> {
        let stack = inspector.stack().await.map_err(|error| error.to_string())?;
        Ok(stack.map(|stack| {
            let zips = stack.parameters.into_iter().map(|(_, value)| value).filter(|value| value.ends_with(".zip"));
            Stack { status: stack.status, zips: zips.collect() }
        }))
    }

    async fn lambdas(inspector: &Inspector, functions: &[FunctionEntry]) -> Vec<(String, Known<Option<Lambda>>)> {
        let asked = stream::iter(functions).map(async |function| {
            let lambda = inspector.function(&function.name).await.map_err(|error| error.to_string());
            let lambda = lambda.map(|lambda| {
                lambda.map(|lambda| Lambda {
                    crate_name: function.crate_name.clone(),
                    code: lambda.code,
                    state: lambda.state,
                    last_update: lambda.last_update,
                })
            });
            (function.name.clone(), lambda)
        });
        asked.buffered(AT_ONCE).collect().await
    }

    /// The queue with most messages in flight.
    async fn in_flight(
        inspector: &Inspector,
        account: &str,
        functions: &[FunctionEntry],
    ) -> Known<Option<(String, u64)>> {
        let asked = stream::iter(functions)
            .map(async |function| (function.name.clone(), inspector.messages(account, &function.name).await));
        let counts: Vec<_> = asked.buffered(AT_ONCE).collect().await;
        let mut most: Option<(String, u64)> = None;
        for (queue, count) in counts {
            let (_, count) = count.map_err(|error| error.to_string())?;
            if most.as_ref().is_none_or(|(_, most)| count > *most) {
                most = Some((queue, count));
            }
        }
        Ok(most)
    }

    type Numbers = (Known<(u64, Option<f64>)>, Known<Option<(f64, f64)>>, Known<Option<f64>>, Known<Option<f64>>);

    /// Lambda's concurrency, Step Functions' executions, Scheduler's throttles, the conductor's calls.
    async fn numbers(inspector: &Inspector, prefix: &str) -> Numbers {
        let conductor = format!("{prefix}-{CONDUCTOR}");
        let max = |namespace, name| Metric { namespace, name, of: None, statistic: "Maximum", minutes: 15 };
        let throttles = Metric {
            namespace: "AWS/Scheduler",
            name: "InvocationThrottleCount",
            of: Some(("ScheduleGroup", prefix)),
            statistic: "Sum",
            minutes: 60,
        };
        let calls = Metric {
            namespace: "AWS/Lambda",
            name: "Invocations",
            of: Some(("FunctionName", &conductor)),
            statistic: "Sum",
            minutes: 10,
        };
        let (limit, used, open, allowed, throttles, calls) = tokio::join!(
            inspector.concurrency(),
            inspector.metric(max("AWS/Lambda", "ConcurrentExecutions")),
            inspector.metric(max("AWS/States", "OpenExecutionCount")),
            inspector.metric(max("AWS/States", "OpenExecutionLimit")),
            inspector.metric(throttles),
            inspector.metric(calls),
        );
        let concurrency = limit.and_then(|limit| Ok((limit.0, used?))).map_err(|error| error.to_string());
        let executions = open.and_then(|open| Ok(open.zip(allowed?))).map_err(|error| error.to_string());
        // Lambda tells of no calls by telling nothing; an emulator may measure none at all.
        let calls = calls.map(|calls| calls.or_else(|| inspector.is_aws().then_some(0.0)));
        (
            concurrency,
            executions,
            throttles.map_err(|error| error.to_string()),
            calls.map_err(|error| error.to_string()),
        )
    }
}
