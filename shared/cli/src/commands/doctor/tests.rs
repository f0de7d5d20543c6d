//! Facts in, findings out: each finding by the one fact that makes it.

use dacapo_domain::FunctionEntry;

use super::{facts::*, finding::*, findings::*};
use crate::failure::exit;

const CODE: &str = "0123456789abcdef";

fn manifest() -> dacapo_domain::Manifest {
    let orders = FunctionEntry::events("orders", 128, vec![]);
    dacapo_domain::Manifest::new("shop", vec![FunctionEntry::conductor(), orders]).unwrap()
}

fn lambda(crate_name: &str) -> Lambda {
    let [state, last_update] = ["Active", "Successful"].map(ToOwned::to_owned);
    Lambda { crate_name: crate_name.to_owned(), code: format!("{CODE}ffff"), state, last_update }
}

fn account() -> Account {
    let zips = ["conductor", "orders"].map(|name| format!("arm64/{name}-{CODE}.zip")).to_vec();
    let functions = ["conductor", "orders"].map(|name| (name.to_owned(), Ok(Some(lambda(name)))));
    Account {
        stack_name: "shop-dev".to_owned(),
        region: "eu-west-1".to_owned(),
        identity: Ok(("1".to_owned(), "arn:aws:iam::1:user/ada".to_owned())),
        stack: Ok(Some(Stack { status: "UPDATE_COMPLETE".to_owned(), zips })),
        functions: functions.to_vec(),
        concurrency: Ok((1_000, Some(20.0))),
        in_flight: Ok(Some(("orders".to_owned(), 3))),
        app_dlq: Ok(0),
        scheduler_throttles: Ok(None),
        executions: Ok(Some((7.0, 1_000_000.0))),
        heartbeats: Ok(Some(10.0)),
    }
}

/// An app that is well, on AWS.
fn well() -> Facts {
    Facts {
        tools: vec![Tool {
            name: "cargo",
            version: Some("cargo 1.95.0".to_owned()),
            without: Severity::Problem,
            remedy: "get it",
        }],
        crates: Some(["conductor", "orders"].map(ToOwned::to_owned).into()),
        manifest: Some(manifest()),
        health: None,
        skew: Some(jiff::SignedDuration::from_millis(300)),
        account: Some(account()),
    }
}

/// The findings that are not as they should be.
fn found(facts: &Facts) -> Vec<String> {
    let odd = findings(facts).into_iter().filter(|finding| finding.severity != Severity::Ok);
    odd.map(|it| format!("{:?} {}: {} -> {}", it.severity, it.check, it.found, it.next.unwrap_or_default())).collect()
}

/// The findings where the account has changed so.
fn where_account(change: impl FnOnce(&mut Account)) -> Vec<String> {
    let mut facts = well();
    change(facts.account.as_mut().unwrap());
    found(&facts)
}

fn stack(status: &str, crates: &[&str]) -> Known<Option<Stack>> {
    let zips = crates.iter().map(|name| format!("arm64/{name}-{CODE}.zip")).collect();
    Ok(Some(Stack { status: status.to_owned(), zips }))
}

#[test]
fn app_that_is_well_has_no_finding_that_needs_a_look() {
    assert_eq!(found(&well()), [""; 0]);
    let checks: Vec<&str> = findings(&well()).iter().map(|finding| finding.check).collect();
    for check in
        ["tools", "credentials", "region", "stack", "drift", "versions", "quotas", "queues", "conductor", "clock"]
    {
        assert!(checks.contains(&check), "{check}: {checks:?}");
    }
}

#[test]
fn tool_that_is_missing_is_as_grave_as_its_absence() {
    for (without, severity) in [(Severity::Problem, "Problem"), (Severity::Note, "Note")] {
        let tools = vec![Tool { name: "make", version: None, without, remedy: "get it" }];
        assert_eq!(found(&Facts { tools, ..well() }), [format!("{severity} tools: make is not there -> get it")]);
    }
}

#[test]
fn credentials_that_are_refused_end_the_questions_and_are_no_access() {
    let account = Account::unknown("shop-dev".to_owned(), "ExpiredToken: no".to_owned());
    let facts = Facts { account: Some(account), ..Facts::default() };
    let found = findings(&facts);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].check, found[0].severity, found[0].exit), ("credentials", Severity::Problem, exit::NO_ACCESS));
}

#[test]
fn stack_that_is_not_there_is_not_found() {
    let mut facts = Facts { manifest: None, crates: None, ..well() };
    facts.account.as_mut().unwrap().stack = Ok(None);
    facts.account.as_mut().unwrap().functions.clear();
    assert_eq!(found(&facts), ["Problem stack: there is no stack shop-dev in eu-west-1 -> make deploy"]);
    assert_eq!(findings(&facts).iter().map(|finding| finding.exit).max(), Some(exit::NOT_FOUND));
}

#[test]
fn stack_that_did_not_come_to_its_end_is_told_by_its_status() {
    for (status, finding) in [
        (
            "UPDATE_ROLLBACK_COMPLETE",
            "Warning stack: shop-dev is UPDATE_ROLLBACK_COMPLETE: its last deploy failed, and what was there before runs -> make deploy",
        ),
        ("UPDATE_IN_PROGRESS", "Note stack: shop-dev is UPDATE_IN_PROGRESS -> wait, then call this again"),
        (
            "ROLLBACK_COMPLETE",
            "Problem stack: shop-dev is ROLLBACK_COMPLETE -> see its events in CloudFormation's console, then make deploy",
        ),
    ] {
        assert_eq!(where_account(|it| it.stack = stack(status, &["conductor", "orders"])), [finding]);
    }
}

#[test]
fn functions_of_the_stack_that_the_manifest_lacks_are_drift_and_the_other_way_round() {
    assert_eq!(
        where_account(|it| it.stack = stack("CREATE_COMPLETE", &["conductor", "mails"])),
        [
            "Problem drift: in the stack, and not in the manifest: mails -> make deploy",
            "Problem drift: in the manifest, and not in the stack: orders -> make deploy"
        ]
    );
    let without = found(&Facts { manifest: None, ..well() });
    assert!(without[0].starts_with("Problem drift: the stack is there, and its table has no manifest"), "{without:?}");
}

#[test]
fn function_that_was_deployed_alone_runs_another_version() {
    let other = |name: &str| Ok(Some(Lambda { code: "ffff".repeat(16), ..lambda(name) }));
    let text = |name: &str| {
        format!(
            "shop-dev-{name} runs other code than the stack deployed with the conductor: it was deployed alone -> make deploy"
        )
    };
    assert_eq!(
        where_account(|it| it.functions[1].1 = other("orders")),
        [format!("Warning versions: {}", text("orders"))]
    );
    assert_eq!(
        where_account(|it| it.functions[0].1 = other("conductor")),
        [format!("Problem versions: {}", text("conductor"))]
    );
}

#[test]
fn function_that_is_missing_or_can_not_run_is_a_problem() {
    assert_eq!(
        where_account(|it| it.functions[1].1 = Ok(None)),
        ["Problem functions: there is no Lambda shop-dev-orders -> make deploy"]
    );
    let failed = Lambda { last_update: "Failed".to_owned(), ..lambda("orders") };
    let next = "aws lambda get-function-configuration --function-name shop-dev-orders";
    assert_eq!(
        where_account(|it| it.functions[1].1 = Ok(Some(failed))),
        [format!("Problem functions: shop-dev-orders can't run: state Active, last update Failed -> {next}")]
    );
}

#[test]
fn quota_that_is_nearly_used_is_a_warning_and_a_small_one_a_note() {
    let concurrency = "ask for more: Service Quotas, AWS Lambda, Concurrent executions";
    let lambda = |used, limit| {
        format!("{used} of {limit} invocations at once in the last 15 minutes, by Lambda's limit of the account")
    };
    assert_eq!(
        where_account(|it| it.concurrency = Ok((1_000, Some(800.0)))),
        [format!("Warning quotas: {} -> {concurrency}", lambda(800, 1_000))]
    );
    assert_eq!(
        where_account(|it| it.concurrency = Ok((10, None))),
        [format!("Note quotas: {} -> {concurrency}", lambda(0, 10))]
    );
    assert_eq!(
        where_account(|it| it.executions = Ok(Some((900_000.0, 1_000_000.0)))),
        [
            "Warning quotas: 900000 of 1000000 executions of Step Functions are open -> ask for more: Service Quotas, AWS Step Functions, Open executions"
        ]
    );
    assert_eq!(
        where_account(|it| it.scheduler_throttles = Ok(Some(3.0))),
        [
            "Warning quotas: Scheduler held 3 calls back in the last hour -> ask for more: Service Quotas, EventBridge Scheduler, Invocations throttle limit"
        ]
    );
}

#[test]
fn queue_with_many_messages_in_flight_is_a_warning_and_what_no_function_took_a_problem() {
    assert_eq!(
        where_account(|it| it.in_flight = Ok(Some(("orders".to_owned(), 100_000)))),
        [
            "Warning queues: 100000 of about 120000 messages in flight in the queue orders, which has most -> dacapo stats"
        ]
    );
    assert_eq!(
        where_account(|it| it.app_dlq = Ok(2)),
        [
            "Problem queues: 2 messages that no function could take, in shop-dev-undelivered -> see the log of shop-dev-conductor, which says why"
        ]
    );
}

#[test]
fn conductor_that_is_not_called_is_a_problem_and_one_that_nothing_measures_a_note() {
    let silent = where_account(|it| it.heartbeats = Ok(Some(0.0)));
    assert!(silent[0].starts_with("Problem conductor: the conductor wasn't called for ten minutes"), "{silent:?}");
    assert_eq!(
        where_account(|it| it.heartbeats = Ok(None)),
        ["Note conductor: nothing measures here whether the conductor is called -> "]
    );
}

#[test]
fn what_may_not_be_looked_at_is_a_note_with_the_refusal() {
    let refused = || "AccessDenied: no".to_owned();
    let note = |check: &str| format!("Note {check}: AccessDenied: no -> see what the role of these credentials allows");
    assert_eq!(where_account(|it| it.stack = Err(refused())), [note("stack")]);
    assert_eq!(
        where_account(|it| it.functions.iter_mut().for_each(|(_, lambda)| *lambda = Err(refused()))),
        [note("functions")]
    );
    assert_eq!(where_account(|it| it.concurrency = Err(refused())), [note("quotas")]);
    assert_eq!(where_account(|it| it.app_dlq = Err(refused())), [note("queues")]);
    assert_eq!(where_account(|it| it.heartbeats = Err(refused())), [note("conductor")]);
}

#[test]
fn workspace_that_holds_other_functions_than_are_served_is_a_note_with_the_command_that_serves_them() {
    let crates = Some(["conductor", "mails"].map(ToOwned::to_owned).into());
    let text = "Note workspace: in functions/, and not served: mails; served, and not in functions/: orders";
    assert_eq!(found(&Facts { crates: crates.clone(), ..well() }), [format!("{text} -> make deploy")]);
    let local = Facts { crates, account: None, skew: None, ..well() };
    assert_eq!(found(&local), [format!("{text} -> dacapo dev")]);
}

#[test]
fn clock_that_is_off_is_a_warning_and_a_problem_where_signatures_are_refused() {
    let by = |seconds| found(&Facts { skew: Some(jiff::SignedDuration::from_secs(seconds)), ..well() });
    let next = "set the clock, by NTP for example";
    assert_eq!(by(-8), [format!("Warning clock: this machine's clock is 8 s ahead of AWS's -> {next}")]);
    assert_eq!(
        by(301),
        [format!(
            "Problem clock: this machine's clock is 301 s behind AWS's: beyond 300 s AWS refuses what is signed -> {next}"
        )]
    );
    assert_eq!(by(4), [""; 0]);
}
