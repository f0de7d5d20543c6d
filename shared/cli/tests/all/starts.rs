//! `run` with every option of a start, and times in every form.

use crate::engine::Engine;
use insta::assert_snapshot;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

fn state(engine: &Engine, started: &Value) -> Value {
    engine.said(&format!("state {} --local --json", started["id"].as_str().unwrap())).json()
}

#[test]
fn run_takes_every_option_of_a_start() {
    let engine = Engine::start();
    let line = "run resize-images --local --json --body '{\"file\":\"a.png\"}' --at '2 days' --key monday --key-for '1 day' \
                --ttl '90 minutes' --priority 300000 --tag a --tag 'b c' \
                --traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let started = engine.said(line).answer();
    let run = state(&engine, &started);
    assert_eq!((&run["tags"], &run["body"]), (&json!(["a", "b c"]), &json!({"file": "a.png"})));
    assert_eq!(run["state"], "scheduled");
    assert_eq!(engine.said(line).answer(), json!({"id": started["id"], "deduplicated": true}));
}

#[test]
fn bare_number_is_a_time_in_milliseconds_from_now_or_since_1970() {
    let engine = Engine::start();
    let due_at = |started: &Value| state(&engine, started)["dueAt"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let before = Timestamp::now();
    let soon = engine.said("run import-airports --local --json --after 86400000").json();
    assert!(due_at(&soon) >= before + 24.hours() && due_at(&soon) <= Timestamp::now() + 24.hours());
    let at = (before + 48.hours()).as_millisecond();
    let moved = engine.said(&format!("reschedule {} {at} --local --json", soon["id"].as_str().unwrap())).json();
    assert_eq!(moved["dueAt"].as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond(), at);
    let published = engine.said("publish user.joined --local --json --when 86400000").json();
    assert_eq!(published["subscribers"], 1);
    let schedule = engine.said("schedules put once import-airports --at 86400000 --local --json").json();
    let next = schedule["next"][0].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(next >= before + 24.hours() && next <= Timestamp::now() + 24.hours(), "{next}");
}

#[test]
fn option_of_a_start_that_cannot_be_is_refused_before_anything_is_started() {
    let engine = Engine::start();
    assert_snapshot!(engine.said("run import-airports --local --priority '5 minutes'"), @r#"
    error: failed to give a run of task "import-airports" a priority: the task has no `concurrency` and no rate limit
    exit 2
    "#);
    for (options, says) in [
        ("--ttl '4000 days'", "failed to start a run with a ttl of 345600000s (allowed: 1 s to 3,650 days)"),
        ("--ttl '90 sec'", "(write \"90 seconds\")"),
        ("--ttl 2027-01-31T08:00:00Z", "is a moment (allowed: a duration, such as \"90 seconds\", or milliseconds)"),
        ("--key-for '1 day'", "--key <TEXT>"),
        ("--traceparent 00-0af7", "--traceparent <TEXT>"),
        ("--when 0", "failed to use 0 as a time: it is zero; allowed is later than now"),
        ("--at -5", "failed to use -5 as a time: it is negative; allowed is later than now"),
    ] {
        let said = engine.said(&format!("run import-airports --local {options}"));
        assert!(said.code == 2 && said.err.contains(says), "{options}: {said}");
    }
    assert_eq!(engine.said("list --local --json").json()["runs"], json!([]), "nothing was started");
}

#[test]
fn wait_ends_after_its_timeout_and_says_how_to_go_on() {
    let engine = Engine::start();
    let run = engine.later("");
    let said = engine.said(&format!("wait {run} --timeout 300 --local --json"));
    assert_eq!((said.code, &said.error()["error"]["kind"]), (1, &json!("failed")));
    let said = engine.said(&format!("wait {run} --timeout 300 --local"));
    let expected =
        format!("run {run} has not ended within 300 ms (it goes on: `dacapo state {run} --local` shows how far it is)");
    assert!(said.err.ends_with(&format!("error: {expected}\n")), "{said}");
    let begin = format!("run {run} of sample, on the engine at http://engine\nscheduled due in ");
    assert!(said.err.starts_with(&begin) && !said.err.contains('%'), "{said}");
}

#[test]
fn variable_alone_names_the_dev_engine_unless_an_option_names_a_place_on_aws() {
    let engine = Engine::start();
    let run = engine.said("run import-airports --when '2 days' --json").json();
    assert_eq!(engine.said("list --json").json()["runs"][0]["id"], run["id"]);
    let on_aws = engine.said("list --stage prod");
    assert!(on_aws.code == 2 && on_aws.err.starts_with("error: which app?"), "{on_aws}");
}

#[test]
fn run_without_a_body_has_an_empty_one_and_one_of_a_file_has_that() {
    let engine = Engine::start();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("it.json"), "[1, 2]").unwrap();
    let said = |line: &str| engine.call(&format!("{line} --local --json")).within(folder.path()).said().json();
    for (body, expected) in [("", json!({})), ("--body @it.json", json!([1, 2]))] {
        let started = said(&format!("run import-airports --when '2 days' {body}"));
        assert_eq!(state(&engine, &started)["body"], expected);
        let token = engine.token_of(started["id"].as_str().unwrap());
        assert_eq!(said(&format!("complete {token} @it.json"))["token"], "approve");
    }
}
