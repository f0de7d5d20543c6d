//! `deliveries` and `dead-letters`: listed, shown, redriven, deleted.

use crate::engine::Engine;
use dacapo_domain::{Retry, hours};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn hourly() -> Retry {
    Retry::every(hours(1))
}

fn ids(page: &Value) -> Vec<&str> {
    page["deliveries"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

#[test]
fn deliveries_are_listed_by_function_event_state_and_time() {
    let engine = Engine::start();
    let (retried, dropped) = (engine.fails("1", hourly()), engine.fails("2", Retry::never()));
    let list = |options: &str| engine.said(&format!("deliveries list --local --json {options}")).json();
    for (options, expected) in [
        ("", vec![&*dropped, &retried]),
        ("--state retrying", vec![&*retried]),
        ("--state delivered", vec![]),
        ("--function user-joined --state dropped", vec![&*dropped]),
        ("--event user.joined --since '1 hour'", vec![&*dropped, &retried]),
        ("--until 3600000", vec![]),
    ] {
        let mut found = list(options);
        let mut ids = ids(&found);
        ids.sort_by_key(|id| *id == retried);
        assert_eq!(ids, expected, "{options}");
        assert_eq!(found["cursor"].take(), Value::Null);
    }
    let first = list("--limit 1");
    let cursor = first["cursor"].as_str().unwrap();
    assert_eq!(ids(&list(&format!("--limit 1 --cursor {cursor}"))).len(), 1);

    let table = engine.said("deliveries list --local --state retrying");
    assert!(table.out.starts_with("ID ") && table.out.contains("MAILBOX_FULL no room for one more"), "{table}");
    assert!(table.out.contains("  1         in "), "attempts and the next try: {table}");
    assert_snapshot!(engine.said("deliveries list --local --state delivered"), @r"
    no deliveries
    of sample, on the engine at http://engine
    exit 0
    ");
}

#[test]
fn delivery_is_shown_with_body_attempts_error_and_next_try() {
    let engine = Engine::start();
    let id = engine.fails("{\"email\":\"ada@example.org\"}", hourly());
    let shown = engine.said(&format!("deliveries show {id} --local --json")).json();
    assert_eq!((&shown["state"], &shown["attempts"]), (&json!("retrying"), &json!(1)));
    assert_eq!(shown["body"], json!({"email": "ada@example.org"}));
    assert_eq!(shown["errorCode"], "MAILBOX_FULL");
    assert!(shown["nextTryAt"].is_string(), "{shown}");
    let text = engine.said(&format!("deliveries show {id} --local"));
    assert!(text.code == 0 && text.out.contains("user_joined::greet, attempt 1, due in"), "{text}");
}

#[test]
fn delivery_state_or_name_that_is_unknown_is_refused_with_what_there_is() {
    let engine = Engine::start();
    assert_snapshot!(engine.said("deliveries list --local --state dead"), @r#"
    error: invalid value 'dead' for '--state <STATE>': "dead" is not a state of a delivery (allowed: retrying, dropped, delivered)

    For more information, try '--help'.
    exit 2
    "#);
    assert_snapshot!(engine.said("deliveries list --local --event user.joind"), @r#"
    error: failed to find a handler of an event named "user.joind" (did you mean "user.joined"?)
    exit 3
    "#);
    assert_snapshot!(engine.said("deliveries show 1/a/b --local"), @r#"
    error: failed to find delivery "1/a/b" (one that never failed has no record; one that is over is kept for 14 days)
    next: dacapo deliveries list --local
    exit 3
    "#);
    assert_snapshot!(engine.said("dead-letters list --local --cursor abc"), @r#"
    error: failed to read the cursor "abc": it is no cursor (take it from the page before, unchanged)
    exit 1
    "#);
}

#[test]
fn dead_letter_is_listed_shown_and_redriven_once() {
    let engine = Engine::start();
    engine.fails("1", hourly());
    let id = engine.fails("2", Retry::never());
    let dead = engine.said("dead-letters list --local --json").json();
    assert_eq!(ids(&dead), [&id]);
    assert_eq!(engine.said(&format!("dead-letters show {id} --local --json")).json()["state"], "dropped");
    let redriven = engine.said(&format!("dead-letters redrive {id} --local --json")).json();
    assert_eq!((&redriven["state"], &redriven["attempts"]), (&json!("retrying"), &json!(0)));
    let again = engine.said(&format!("dead-letters redrive {id} --local"));
    assert!(again.code == 1 && again.err.contains("it is retrying and no dead letter (its next attempt is"), "{again}");
    assert_eq!(engine.said("dead-letters list --local").out, "no deliveries\n");
}

#[test]
fn dead_letter_is_deleted_once_and_what_is_none_is_not() {
    let engine = Engine::start();
    let (retried, dropped) = (engine.fails("1", hourly()), engine.fails("2", Retry::never()));
    let deleted = engine.said(&format!("dead-letters delete {dropped} --local --json")).json();
    assert_eq!(deleted, json!({"deleted": dropped}));
    assert_eq!(engine.said(&format!("dead-letters delete {dropped} --local")).code, 3);
    let refused = engine.said(&format!("dead-letters delete {retried} --local --json"));
    assert_eq!((refused.code, &refused.error()["error"]["kind"]), (1, &json!("failed")));
}

#[test]
fn dead_letters_of_options_are_counted_then_redriven_and_none_by_mistake() {
    let engine = Engine::start();
    for n in 0..3 {
        engine.fails(&n.to_string(), Retry::never());
    }
    let count = engine.said("dead-letters redrive --event user.joined --dry-run --local --json").answer();
    assert_eq!(count, json!({"count": 3}));
    assert_eq!(engine.said("dead-letters redrive --all --dry-run --local").out, "it would be done to 3\n");
    assert_snapshot!(engine.said("dead-letters redrive --local"), @r"
    error: name which are meant, or all of them with --all
    exit 2
    ");
    assert_eq!(engine.said("dead-letters redrive 1/a/b --dry-run --local").code, 2, "one is not counted");
    let done = engine.said("dead-letters redrive --event user.joined --yes --wait --local --json").json();
    assert_eq!((&done["state"], &done["result"]), (&json!("completed"), &json!({"done": 3, "refused": 0})));
}
