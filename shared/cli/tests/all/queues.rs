//! `queues`: listed, paused, resumed.

use crate::engine::Engine;
use insta::assert_snapshot;
use serde_json::{Value, json};

#[test]
fn queues_are_listed_with_tasks_and_limits_for_people_and_programs() {
    let engine = Engine::start();
    assert_snapshot!(engine.said("queues list --local"), @r"
    NAME             TASKS            LIMITS          EXECUTING  LINE
    images           resize-images    concurrency(2)  0
    import-airports  import-airports  no limit
    nightly-report   nightly-report   no limit
    of sample, on the engine at http://engine
    exit 0
    ");
    let queues = engine.said("queues list --local --json").json();
    let images = &queues["queues"][0];
    let limits = json!({"queue": "images", "total": {"concurrency": 2}});
    assert_eq!(
        *images,
        json!({"name": "images", "tasks": ["resize-images"], "limits": limits, "executing": 0, "hasWaiting": false})
    );
}

#[test]
fn queue_is_paused_and_resumed_and_a_second_pause_is_as_the_first() {
    let engine = Engine::start();
    assert_eq!(engine.said("queues pause images --local").out, "queue images is paused: what is due waits\n");
    let paused = engine.said("queues pause images --local --json").json();
    assert!(paused["pausedAt"].is_string(), "a second pause is as the first: {paused}");
    assert!(engine.said("queues list --local").out.contains("0          paused"));
    assert_eq!(engine.said("queues resume images --local").out, "queue images is not paused\n");
    assert_eq!(engine.said("queues resume images --local --json").json()["pausedAt"], Value::Null);
}

#[test]
fn queue_that_is_unknown_is_not_found_and_the_error_says_which_there_are() {
    let engine = Engine::start();
    assert_snapshot!(engine.said("queues pause image --local"), @r#"
    error: failed to find a queue named "image" (did you mean "images"?)
    exit 3
    "#);
    let said = engine.said("queues resume mail --local --json");
    let error = &said.error()["error"];
    assert_eq!((said.code, &error["kind"], &error["exit"]), (3, &json!("not-found"), &json!(3)));
    let text = error["message"].as_str().unwrap();
    assert!(text.ends_with("(there are: images, import-airports, nightly-report)"), "{text}");
}
