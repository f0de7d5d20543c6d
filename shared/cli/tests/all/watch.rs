//! Commands that go on: what they say as it changes, and when they end.

use std::time::Duration;

use crate::engine::Engine;
use serde_json::Value;

fn read(line: Option<String>) -> Value {
    serde_json::from_str(&line.unwrap()).unwrap()
}

#[test]
fn state_that_is_watched_is_said_at_each_change_until_the_run_has_ended() {
    let engine = Engine::start();
    let run = engine.later("");
    let mut watch = engine.call(&format!("state {run} --watch --local --json")).speaks();
    let mut lines = watch.lines();
    assert_eq!(read(lines.next())["state"], "scheduled");
    engine.said(&format!("pause {run} --local"));
    assert_eq!(read(lines.next())["state"], "paused");
    engine.said(&format!("abort {run} --local"));
    assert_eq!(read(lines.next())["state"], "aborted");
    assert_eq!(lines.next(), None);
    watch.ends_within(Duration::from_secs(30));
    let over = engine.said(&format!("state {run} --watch --local"));
    assert!(over.code == 0 && over.out.contains("aborted"), "{over}");
    assert_eq!(engine.said("state 01KDVJ29Q0Q0B9FME0N1VT25N3 --watch --local").code, 3);
}

#[test]
fn list_that_is_watched_is_said_anew_when_it_changes_and_ends_with_its_reader() {
    let engine = Engine::start();
    let mut watch = engine.call("list --watch --local --json").speaks();
    let mut lines = watch.lines();
    assert_eq!(read(lines.next())["runs"], serde_json::json!([]));
    let run = engine.later("");
    assert_eq!(read(lines.next())["runs"][0]["id"], run);
    drop(lines);
    engine.later("");
    watch.ends_within(Duration::from_secs(30));
    let said = engine.said("list --watch --cursor abc --local");
    assert_eq!(said.code, 2, "a page that is watched is the first: {said}");
}

#[test]
fn log_that_is_followed_goes_on_until_the_run_has_ended() {
    let engine = Engine::start();
    let run = engine.later("");
    engine.logs(&run, 1, "first", None);
    let mut follow = engine.call(&format!("logs {run} --follow --local --json")).speaks();
    let mut lines = follow.lines();
    assert_eq!(read(lines.next())["message"], "first");
    engine.logs(&run, 2, "second", None);
    assert_eq!(read(lines.next())["message"], "second");
    engine.said(&format!("abort {run} --local"));
    assert_eq!(lines.next(), None);
    follow.ends_within(Duration::from_secs(30));
    let said = engine.said(&format!("logs {run} --follow --local"));
    let headings = said.out.matches("iteration 1, attempt 1\n").count();
    assert!(said.code == 0 && headings == 1 && said.out.contains("second"), "{said}");
}

#[test]
fn data_of_a_log_entry_stands_beside_its_message_and_long_data_below_it() {
    let engine = Engine::start();
    let run = engine.later("");
    engine.logs(&run, 1, "short", Some("{\"rows\":3}"));
    engine.logs(&run, 2, "long", Some(&format!("{{\"rows\":3,\"file\":\"{}\"}}", "x".repeat(60))));
    let said = engine.said(&format!("logs {run} --local")).out;
    assert!(said.contains("  short {\"rows\":3}\n"), "{said}");
    assert!(said.contains("  long\n    {\n      \"rows\": 3,\n"), "{said}");
}
