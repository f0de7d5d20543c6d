//! The findings on what is deployed, and on the limits of its account.

use std::collections::BTreeSet;

use dacapo_domain::{CONDUCTOR, Manifest};

use super::{
    facts::Account,
    finding::{Finding, Severity, is, ok, unknown},
};
use crate::failure::exit;

/// Messages that may be in flight in a queue.
const IN_FLIGHT: u64 = 120_000;
/// The part of a limit past which its use needs a look.
const MUCH: f64 = 0.8;
/// Invocations at once that a new account is held to.
const FEW: u64 = 100;

/// The stack, and how it differs from the manifest.
pub fn stack(account: &Account, manifest: Option<&Manifest>) -> Vec<Finding> {
    let (name, check) = (&account.stack_name, "stack");
    let deploy = Some("make deploy".to_owned());
    let stack = match &account.stack {
        Err(why) => return vec![unknown(check, why)],
        Ok(None) => {
            let missing =
                is(check, Severity::Problem, format!("there is no stack {name} in {}", account.region), deploy);
            return vec![Finding { exit: exit::NOT_FOUND, ..missing }];
        }
        Ok(Some(stack)) => stack,
    };
    let status = &stack.status;
    let said = format!("{name} is {status}");
    let mut found = vec![match status.as_str() {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => ok(check, said),
        "UPDATE_ROLLBACK_COMPLETE" => is(
            check,
            Severity::Warning,
            format!("{said}: its last deploy failed, and what was there before runs"),
            deploy,
        ),
        _ if status.ends_with("_IN_PROGRESS") => {
            is(check, Severity::Note, said, Some("wait, then call this again".to_owned()))
        }
        _ => is(
            check,
            Severity::Problem,
            said,
            Some("see its events in CloudFormation's console, then make deploy".to_owned()),
        ),
    }];
    let Some(manifest) = manifest else {
        let text = "the stack is there, and its table has no manifest: the conductor hasn't stored it";
        found.push(is("drift", Severity::Problem, text, Some("make deploy".to_owned())));
        return found;
    };
    let of_stack: BTreeSet<&str> = stack.zips.iter().filter_map(|zip| crate_of(zip)).collect();
    let of_manifest: BTreeSet<&str> = manifest.functions.iter().map(|function| &*function.crate_name).collect();
    let differing = |what: &str, names: Vec<&&str>| {
        let names: Vec<&str> = names.into_iter().copied().collect();
        let text = format!("{what}: {}", names.join(", "));
        (!names.is_empty()).then(|| is("drift", Severity::Problem, text, Some("make deploy".to_owned())))
    };
    let lacks = differing("in the stack, and not in the manifest", of_stack.difference(&of_manifest).collect());
    let more = differing("in the manifest, and not in the stack", of_manifest.difference(&of_stack).collect());
    let drifts: Vec<Finding> = [lacks, more].into_iter().flatten().collect();
    match drifts.is_empty() {
        true => {
            found.push(ok("drift", format!("the stack and the manifest have the same {} functions", of_stack.len())))
        }
        false => found.extend(drifts),
    }
    found
}

/// The crate whose code is in a zip: `arm64/send-welcome-0123456789abcdef.zip`.
fn crate_of(zip: &str) -> Option<&str> {
    Some(zip.rsplit('/').next()?.strip_suffix(".zip")?.rsplit_once('-')?.0)
}

/// The first digits of the SHA-256 of a zip, which are a part of its name.
fn digits_of(zip: &str) -> Option<&str> {
    Some(zip.strip_suffix(".zip")?.rsplit_once('-')?.1)
}

/// The Lambdas of the manifest's functions.
pub fn lambdas(account: &Account) -> Vec<Finding> {
    let zips = account.stack.as_ref().ok().and_then(Option::as_ref).map(|stack| &*stack.zips).unwrap_or_default();
    let mut found = vec![];
    for (function, lambda) in &account.functions {
        let name = format!("{}-{function}", account.stack_name);
        let lambda = match lambda {
            Err(why) => {
                found.push(unknown("functions", why));
                break; // One refusal speaks for all.
            }
            Ok(None) => {
                let text = format!("there is no Lambda {name}");
                found.push(is("functions", Severity::Problem, text, Some("make deploy".to_owned())));
                continue;
            }
            Ok(Some(lambda)) => lambda,
        };
        if lambda.state == "Failed" || lambda.last_update == "Failed" {
            let text = format!("{name} can't run: state {}, last update {}", lambda.state, lambda.last_update);
            let next = format!("aws lambda get-function-configuration --function-name {name}");
            found.push(is("functions", Severity::Problem, text, Some(next)));
        }
        let zip = zips.iter().find(|zip| crate_of(zip) == Some(&lambda.crate_name));
        let is_other = zip.and_then(|zip| digits_of(zip)).is_some_and(|digits| !lambda.code.starts_with(digits));
        if is_other && !lambda.code.is_empty() {
            let severity = if function == CONDUCTOR { Severity::Problem } else { Severity::Warning };
            let text =
                format!("{name} runs other code than the stack deployed with the conductor: it was deployed alone");
            found.push(is("versions", severity, text, Some("make deploy".to_owned())));
        }
    }
    if found.is_empty() && !account.functions.is_empty() {
        found.push(ok("versions", format!("{} functions run what the stack deployed", account.functions.len())));
    }
    found
}

/// The limits of the account, with their use.
#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
pub fn quotas(account: &Account) -> Vec<Finding> {
    let mut found = vec![];
    found.push(match &account.concurrency {
        Err(why) => unknown("quotas", why),
        Ok((limit, used)) => {
            let used = used.unwrap_or_default();
            let text = format!(
                "{used} of {limit} invocations at once in the last 15 minutes, by Lambda's limit of the account"
            );
            let next = "ask for more: Service Quotas, AWS Lambda, Concurrent executions";
            match () {
                () if used >= *limit as f64 * MUCH => is("quotas", Severity::Warning, text, Some(next.to_owned())),
                () if *limit < FEW => is("quotas", Severity::Note, text, Some(next.to_owned())),
                () => ok("quotas", text),
            }
        }
    });
    match &account.executions {
        Err(why) => found.push(unknown("quotas", why)),
        Ok(None) => {}
        Ok(Some((open, limit))) => {
            let text = format!("{open} of {limit} executions of Step Functions are open");
            let next = "ask for more: Service Quotas, AWS Step Functions, Open executions".to_owned();
            let is_much = *limit > 0.0 && *open >= limit * MUCH;
            found.push(if is_much { is("quotas", Severity::Warning, text, Some(next)) } else { ok("quotas", text) });
        }
    }
    match &account.scheduler_throttles {
        Err(why) => found.push(unknown("quotas", why)),
        Ok(Some(count)) if *count > 0.0 => {
            let text = format!("Scheduler held {count} calls back in the last hour");
            let next = "ask for more: Service Quotas, EventBridge Scheduler, Invocations throttle limit".to_owned();
            found.push(is("quotas", Severity::Warning, text, Some(next)));
        }
        Ok(_) => found.push(ok("quotas", "Scheduler held no call back in the last hour")),
    }
    found
}

/// The app's queues.
#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
pub fn queues(account: &Account) -> Vec<Finding> {
    let in_flight = match &account.in_flight {
        Err(why) => Some(unknown("queues", why)),
        Ok(None) => None,
        Ok(Some((queue, count))) => {
            let text = format!("{count} of about {IN_FLIGHT} messages in flight in the queue {queue}, which has most");
            let is_much = *count as f64 >= IN_FLIGHT as f64 * MUCH;
            let next = "dacapo stats".to_owned();
            Some(if is_much { is("queues", Severity::Warning, text, Some(next)) } else { ok("queues", text) })
        }
    };
    let app_dlq = match &account.app_dlq {
        Err(why) => unknown("queues", why),
        Ok(0) => ok("queues", "no message that a function couldn't take"),
        Ok(count) => {
            let text = format!("{count} messages that no function could take, in {}-undelivered", account.stack_name);
            let next = format!("see the log of {}-conductor, which says why", account.stack_name);
            is("queues", Severity::Problem, text, Some(next))
        }
    };
    in_flight.into_iter().chain([app_dlq]).collect()
}

/// The calls of the conductor.
pub fn heartbeat(account: &Account) -> Option<Finding> {
    if !matches!(account.stack, Ok(Some(_))) {
        return None;
    }
    Some(match &account.heartbeats {
        Err(why) => unknown("conductor", why),
        Ok(Some(calls)) if *calls > 0.0 => {
            ok("conductor", format!("it was called {calls} times in the last ten minutes"))
        }
        Ok(Some(_)) => {
            let text =
                "the conductor wasn't called for ten minutes: what is late is not delivered, and what is stuck stays";
            let next =
                "see whether the schedule conductor.sweep is enabled, and whether Lambda throttles; then make deploy";
            is("conductor", Severity::Problem, text, Some(next.to_owned()))
        }
        Ok(None) => is("conductor", Severity::Note, "nothing measures here whether the conductor is called", None),
    })
}
