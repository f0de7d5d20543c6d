//! `bulk`: what is done to all that options name.

use crate::engine::Engine;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn runs_of_options_are_counted_then_aborted_with_the_reason() {
    let engine = Engine::start();
    let ids: Vec<String> = (0..3).map(|_| engine.later("--tag old")).collect();
    let other = engine.later("");
    let counted = engine.said("bulk abort --tag old --dry-run --local --json").answer();
    assert_eq!(counted, json!({"count": 3}));
    let done = engine.said("bulk abort --tag old --message enough --yes --wait --local --json").json();
    assert_eq!((&done["state"], &done["result"]), (&json!("completed"), &json!({"done": 3, "refused": 0})));
    for id in &ids {
        let run = engine.said(&format!("state {id} --local --json")).json();
        assert_eq!((&run["state"], &run["message"]), (&json!("aborted"), &json!("enough")));
    }
    assert_eq!(engine.said(&format!("state {other} --local --json")).json()["state"], "scheduled");
}

#[test]
fn runs_of_options_are_replayed_by_a_run_that_can_be_waited_for() {
    let engine = Engine::start();
    let first = engine.later("--tag again");
    let started = engine.said("bulk replay --tag again --yes --per-second 1000 --local --json").json();
    let bulk = started["id"].as_str().unwrap();
    let ended = engine.said(&format!("wait {bulk} --local"));
    assert!(ended.code == 0 && ended.out.contains("1 replayed"), "{ended}");
    let replays = engine.said(&format!("list --parent {first} --local --json")).json();
    assert_eq!(replays["runs"][0]["trigger"], "replay");
}

#[test]
fn bulk_without_options_or_with_too_many_is_refused_before_anything_is_done() {
    let engine = Engine::start();
    engine.later("");
    assert_snapshot!(engine.said("bulk abort --local"), @r"
    error: name which are meant, or all of them with --all
    exit 2
    ");
    assert_snapshot!(engine.said("bulk replay --all --task import-airports --local"), @r"
    error: --all goes with no option that says which are meant
    exit 2
    ");
    assert_snapshot!(engine.said("bulk redrive --all --per-second 1001 --local"), @r"
    error: invalid value '1001' for '--per-second <N>': 1001 is not in 1..=1000

    For more information, try '--help'.
    exit 2
    ");
    let said = engine.said("bulk abort --task import-airport --yes --local --json");
    assert_eq!((said.code, &said.error()["error"]["kind"]), (3, &json!("not-found")));
    assert_eq!(engine.said("list --task dacapo.bulk --local").out, "no runs\n", "nothing was started");
}

#[test]
fn nothing_is_done_to_many_where_nobody_can_be_asked_and_yes_is_not_said() {
    let engine = Engine::start();
    let (run, dead) = (engine.later("--tag old"), engine.fails("1", dacapo_domain::Retry::never()));
    for line in ["bulk abort --tag old", "bulk replay --tag old", "bulk redrive --all", "dead-letters redrive --all"] {
        let said = engine.said(&format!("{line} --local"));
        let expected = "error: nothing was done: here nobody can be asked whether to go on (count with --dry-run, then say --yes)\n";
        assert_eq!((said.code, said.err.as_str()), (2, expected), "{line}");
        let said = engine.said(&format!("{line} --wait --local --json"));
        assert_eq!((said.code, &said.error()["error"]["kind"]), (2, &json!("usage")), "{line}");
    }
    assert_eq!(engine.said(&format!("state {run} --local --json")).json()["state"], "scheduled");
    assert_eq!(engine.said(&format!("dead-letters show {dead} --local --json")).json()["state"], "dropped");
    assert_eq!(engine.said("list --task dacapo.bulk --local").out, "no runs\n", "nothing was started");
}
