//! Options and names that a function says of itself, refused when it is described: before there is an engine.

use std::time::Duration;

use dacapo::{Definition, Json, prelude::*};
use dacapo_domain::{FunctionEntry, Manifest, check_stack};

use crate::{
    both::{LIMITED, PAID, REPORT, echo, heard, json},
    rows::Rows,
};

fn described(function: impl Function) -> FunctionEntry {
    Definition::of(function).describe("a-crate").unwrap()
}

fn add(rows: &mut Rows, given: &str, function: impl Function) {
    let problems = Definition::of(function).describe("a-crate");
    rows.add(given, &problems.err().unwrap_or_else(|| panic!("{given} is accepted")).join("\n"));
}

type Options = fn(Task<Json, Json>) -> Task<Json, Json>;

#[test]
fn option_of_a_task_that_is_out_of_range_is_refused() {
    let mut rows = Rows::default();
    let options: [(&str, Options); 26] = [
        ("timeout(0)", |task| task.timeout(Duration::ZERO)),
        ("timeout(31 min)", |task| task.timeout(minutes(31))),
        ("timeout(Duration::MAX)", |task| task.timeout(Duration::MAX)),
        ("max_timeout(1 s)", |task| task.max_timeout(seconds(1))),
        ("max_duration(0)", |task| task.max_duration(Duration::ZERO)),
        ("max_iterations(0)", |task| task.max_iterations(0)),
        ("history(0)", |task| task.history(Duration::ZERO)),
        ("ttl(Duration::MAX)", |task| task.ttl(Duration::MAX)),
        ("Retry::attempts(0)", |task| task.retry(Retry::attempts(0))),
        ("retry factor 0.5", |task| task.retry(Retry::attempts(3).factor(0.5))),
        ("retry factor NaN", |task| task.retry(Retry::attempts(3).factor(f64::NAN))),
        ("retry min above max", |task| task.retry(Retry::attempts(3).min(hours(2)).max(hours(1)))),
        ("retry max of 2 years", |task| task.retry(Retry::attempts(3).max(days(800)))),
        ("retry age 0", |task| task.retry(Retry::every(hours(1)).age(Duration::ZERO))),
        ("memory(0)", |task| task.memory(0)),
        ("memory(-1)", |task| task.memory(-1)),
        ("memory(10,241)", |task| task.memory(10_241)),
        ("concurrency(0)", |task| task.concurrency(0)),
        ("concurrency(1,001)", |task| task.concurrency(1_001)),
        ("rate_limit(0)", |task| task.rate_limit(0, per(minutes(1)))),
        ("rate_limit per 0 s", |task| task.rate_limit(1, per(Duration::ZERO))),
        ("rate_limit per 32 days", |task| task.rate_limit(1, per(days(32)))),
        ("queue(\"\") without limits", |task| task.queue("")),
        ("queue of 65 characters", |task| task.queue(&"q".repeat(65)).concurrency(1)),
        ("schedule once", |task| task.schedule(dacapo_domain::at("1 hour"), json("1"))),
        ("schedule with 1e999", |task| task.schedule(every("1 day"), json("1e999"))),
    ];
    for (given, options) in options {
        add(&mut rows, given, options(task(REPORT, echo)));
    }
    const OURS: TaskRef<Json, Json> = TaskRef::new("undelivered");
    add(&mut rows, "a task named as the dead-letter queue", task(OURS, echo));
    rows.are("tasks");
}

#[test]
fn option_of_an_event_handler_that_is_out_of_range_is_refused() {
    let mut rows = Rows::default();
    let of = || on(PAID, heard);
    add(&mut rows, "timeout(0)", of().timeout(Duration::ZERO));
    add(&mut rows, "timeout(61 s)", of().timeout(seconds(61)));
    add(&mut rows, "Retry::attempts(0)", of().retry(Retry::attempts(0)));
    add(&mut rows, "memory(64)", of().memory(64));
    add(&mut rows, "no handler at all", [] as [EventHandler; 0]);
    add(&mut rows, "15 handlers of 60 s", [(); 15].map(|()| of().timeout(seconds(60))));
    rows.are("handlers");
}

#[test]
fn functions_that_make_no_app_are_refused() {
    const SAME: TaskRef<Json, Json> = TaskRef::new("Print-Labels!");
    let mut rows = Rows::default();
    let add = |rows: &mut Rows, given: &str, functions: Vec<FunctionEntry>| {
        let refused = Manifest::new("shop", functions);
        rows.add(given, &refused.err().unwrap_or_else(|| panic!("{given} is accepted")).to_string());
    };
    let report = || described(task(REPORT, echo));
    add(&mut rows, "two tasks of one slug", vec![described(task(LIMITED, echo)), described(task(SAME, echo))]);
    add(&mut rows, "the same task twice", vec![report(), report()]);
    for app in ["", "Shop", "9lives", "a--b", "shop-", "an-app-of-21-letters-"] {
        rows.add(&format!("app {app:?}"), &check_stack(app, "dev").unwrap_err().to_string());
    }
    let shared = |most| task(REPORT, echo).queue("q").concurrency(most);
    const OTHER: TaskRef<Json, Json> = TaskRef::new("other");
    let other = described(task(OTHER, echo).queue("q").concurrency(3));
    add(&mut rows, "a queue with two limits", vec![described(shared(2)), other]);
    rows.are("apps");
}
