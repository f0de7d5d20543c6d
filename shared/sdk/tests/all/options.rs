//! A function says everything about itself, and all that is wrong with it at once.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use dacapo::{Definition, prelude::*};
use dacapo_domain::{FunctionEntry, Holds, Limit, Limits, Policy, Rate, TaskEntry};
use serde_json::{Value, json};

const REPORT: TaskRef<String> = TaskRef::new("nightly report");
const JOINED: EventRef<String> = EventRef::new("user.joined");

async fn report(_: String, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

async fn joined(_: String, _: EventContext) -> Result<(), TaskError> {
    Ok(())
}

fn entry(function: impl Function) -> FunctionEntry {
    Definition::of(function).describe("some-crate").unwrap()
}

fn task_entry(function: impl Function) -> TaskEntry {
    match entry(function).holds {
        Holds::Task(task) => task,
        other => panic!("{other:?} is no task"),
    }
}

fn problems(function: impl Function) -> Vec<String> {
    Definition::of(function).describe("some-crate").unwrap_err()
}

#[test]
fn a_task_without_options_has_the_defaults() {
    let entry = entry(task(REPORT, report));
    assert_eq!((entry.name.as_str(), entry.crate_name.as_str()), ("nightly-report", "some-crate"));
    assert_eq!(entry.memory_mb, 256);
    let Holds::Task(task) = entry.holds else { panic!("no task") };
    assert_eq!(task.name, "nightly report");
    assert_eq!(task.policy, Policy::default());
    assert!(!task.private && task.schedules.is_empty());
}

#[test]
fn options_are_in_the_manifest() {
    let function = task(REPORT, report)
        .timeout(minutes(2))
        .max_timeout(minutes(10))
        .max_duration(hours(1))
        .unlimited_iterations()
        .retry(Retry::never())
        .history(days(1))
        .ttl(hours(2))
        .queue("reports")
        .concurrency(3)
        .rate_limit(100, per(minutes(1)))
        .concurrency_per_key(1, |name: &String| name)
        .batch(5)
        .memory(Machine::Small2x)
        .private();
    let entry = entry(function);
    assert_eq!(entry.memory_mb, 1_769);
    let Holds::Task(task) = entry.holds else { panic!("no task") };
    let expected = Policy {
        timeout: minutes(2),
        max_timeout: minutes(10),
        max_duration: Some(hours(1)),
        max_iterations: None,
        retry: Retry::never(),
        ttl: Some(hours(2)),
        limits: Limits {
            queue: Some("reports".to_owned()),
            total: Limit { concurrency: Some(3), rate: Some(Rate { starts: 100, per: minutes(1) }) },
            per_key: Limit { concurrency: Some(1), rate: None },
        },
        history: days(1),
        batch: 5,
        pauses_when_exhausted: false,
        has_end_hooks: false,
        publishes: [].into(),
    };
    assert_eq!(task.policy, expected);
    assert!(task.private);
}

#[test]
fn only_hooks_after_the_end_are_owed() {
    let around = task(REPORT, report).on_start(async |_| Ok(())).cleanup(async |_| Ok(()));
    assert!(!task_entry(around).policy.has_end_hooks);
    let after = task(REPORT, report).on_complete(async |_, _| Ok(()));
    assert!(task_entry(after).policy.has_end_hooks);
}

#[test]
fn schedules_are_named_after_the_task_and_carry_their_bodies() {
    let function = task(REPORT, report)
        .schedule(cron("0 6 ? * MON-FRI *").timezone("Europe/Berlin"), "day".to_owned())
        .schedule(every("7 days").skip_while_running(), "week".to_owned());
    let schedules = task_entry(function).schedules;
    let told: Vec<(&str, Value)> =
        schedules.iter().map(|schedule| (schedule.name.as_str(), schedule.body.parse().unwrap())).collect();
    assert_eq!(told, [("nightly-report-b6a668a2", json!("day")), ("nightly-report-81c9ab7c", json!("week"))]);
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let function = task(REPORT, report)
        .timeout(minutes(31))
        .max_timeout(seconds(0))
        .max_iterations(0)
        .history(seconds(0))
        .ttl(days(4_000))
        .retry(Retry::attempts(0))
        .memory(64)
        .schedule(cron("0 6 * * *"), String::new())
        .schedule(dacapo_domain::at("1 hour"), String::new());
    let problems = problems(function);
    let expected = [
        "timeout of 1860s (allowed: 1 s to 1800 s; a task that takes longer returns `Continue(input)`",
        "max_timeout of 0ns (allowed: 1 s to 1800 s)",
        "max_timeout of 0ns is below the timeout of 1860s",
        "max_iterations of 0 (allowed: 1 and more, or `unlimited_iterations()`)",
        "ttl of 345600000s (allowed: 1 s to 3,650 days)",
        "history of 0ns (allowed: 1 s to 3,650 days)",
        "retry with 0 attempts",
        "memory of 64 MB (allowed: 128 to 10,240 MB)",
        "0 6 * * *",
        "schedule 2 fires once (allowed: `every` and `cron`",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with("task \"nightly report\": ") && problem.contains(expected), "{problem}");
    }
}

#[test]
fn messages_of_one_invocation_are_one_to_ten() {
    for given in [0, 11] {
        let expected =
            format!("task \"nightly report\": batch of {given} (allowed: 1 to 10 messages in one invocation)");
        assert_eq!(problems(task(REPORT, report).batch(given)), [expected]);
    }
    for given in [1, 10] {
        assert_eq!(entry(task(REPORT, report).batch(given)).batch_size(), given);
    }
}

#[test]
fn a_timeout_may_be_raised_to_max_timeout_and_no_further() {
    assert_eq!(
        problems(task(REPORT, report).timeout(minutes(2)).max_timeout(minutes(1))),
        ["task \"nightly report\": max_timeout of 60s is below the timeout of 120s (raise it or leave it out)"]
    );
}

#[test]
fn max_timeout_that_is_not_given_is_a_quarter_of_an_hour_or_the_timeout_where_that_is_longer() {
    for (timeout, max) in [(minutes(1), minutes(15)), (minutes(15), minutes(15)), (minutes(30), minutes(30))] {
        assert_eq!(task_entry(task(REPORT, report).timeout(timeout)).policy.max_timeout, max);
    }
}

#[test]
fn body_of_a_schedule_is_refused_where_its_run_would_be() {
    let with = |bytes| task(REPORT, report).schedule(every("1 day"), "x".repeat(bytes));
    assert_eq!(task_entry(with(1_048_000)).schedules[0].body.bytes(), 1_048_002);
    let [problem] = &problems(with(1_048_570))[..] else { panic!("its run's metadata counts in") };
    let text = "the runs of schedule `every 1 day` have 104";
    assert!(problem.contains(text) && problem.contains("bytes, metadata included (allowed: 1048576; "), "{problem}");
}

#[test]
fn handlers_of_events_share_a_function_named_after_its_crate() {
    let entry = entry([on(JOINED, joined), on(JOINED, joined).timeout(minutes(1)).retry(Retry::never()).dead_letter()]);
    assert_eq!(entry.name, "some-crate");
    let Holds::Events(handlers) = entry.holds else { panic!("no handlers") };
    assert_eq!(
        (handlers[0].timeout, handlers[0].retry, handlers[0].dead_letter),
        (seconds(5), Retry::of_events(), false)
    );
    assert_eq!((handlers[1].timeout, handlers[1].retry, handlers[1].dead_letter), (minutes(1), Retry::never(), true));
}

#[test]
fn what_is_wrong_with_a_handler_is_said_with_its_event() {
    let problems = problems([on(JOINED, joined).timeout(seconds(61)).retry(Retry::attempts(0))]);
    assert_eq!(
        problems[0],
        "handler of event \"user.joined\": timeout of 61s (allowed: 1 s to 60 s; a handler that needs longer starts a task)"
    );
    assert!(problems[1].starts_with("handler of event \"user.joined\": retry with 0 attempts"), "{problems:?}");
}

#[test]
fn a_function_has_a_handler() {
    let none: [EventHandler; 0] = [];
    assert_eq!(problems(none), ["a function without a handler (give it one by `on(EVENT, handler)`)"]);
}

#[test]
fn function_with_a_name_that_dacapo_uses_itself_is_refused_when_it_is_described() {
    const OURS: TaskRef<String> = TaskRef::new("undelivered");
    let problems = Definition::of(task(OURS, report)).describe("a-crate").unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("dead-letter queue") && problems[0].contains("task \"undelivered\""), "{problems:?}");
    let events = [on(EventRef::<String>::new("paid"), async |_: String, _: EventContext| Ok::<(), TaskError>(()))];
    assert!(Definition::of(events).describe("conductor").is_err());
}
