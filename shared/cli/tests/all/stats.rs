//! `stats`: one verdict, with an exit code.

use crate::engine::Engine;
use dacapo_domain::Retry;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn app_that_is_well_exits_with_0_and_shows_each_task() {
    let engine = Engine::start();
    engine.later("");
    assert_snapshot!(engine.said("stats --local"), @r"
    all is well

    TASK             DUE  OLDEST  RUNNING  PARKED  PAUSED  WAITING  FAILED
    import-airports  0    -       0        0       0       1        0 of 0
    nightly-report   0    -       0        0       0       0        0 of 0
    resize-images    0    -       0        0       0       0        0 of 0

    deliveries: 0 tried again, 0 dead letters
    of sample, on the engine at http://engine
    exit 0
    ");
    let health = engine.said("stats --local --json").json();
    assert_eq!(health["findings"], json!([]));
    assert_eq!((&health["tasks"][0]["task"], &health["tasks"][0]["waiting"]), (&json!("import-airports"), &json!(1)));
}

#[test]
fn app_with_dead_letters_exits_with_1_and_says_what_to_call_next() {
    let engine = Engine::start();
    engine.fails("1", Retry::never());
    let said = engine.said("stats --local");
    assert_eq!(said.code, 1, "{said}");
    assert!(said.out.starts_with("needs a look\n  1 dead letter  dacapo dead-letters list --local\n"), "{said}");
    let said = engine.said("stats --local --json");
    let health: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let findings = json!([{"kind": "deadLetters", "count": 1}]);
    assert_eq!((said.code, &health["findings"]), (1, &findings));
}

#[test]
fn command_to_go_on_with_names_the_place_that_was_typed() {
    let engine = Engine::start();
    engine.fails("1", Retry::never());
    let hint = |line: &str| {
        let said = engine.said(line);
        let hint = said.out.lines().find_map(|line| line.split_once("1 dead letter  "));
        hint.unwrap_or_else(|| panic!("{said}")).1.to_owned()
    };
    assert_eq!(hint("stats"), "dacapo dead-letters list");
    assert_eq!(hint("stats --local"), "dacapo dead-letters list --local");
}

#[test]
fn stats_of_an_engine_that_does_not_answer_is_no_access() {
    let said = crate::dacapo::call("stats --local --json").env("DACAPO_LOCAL", "http://127.0.0.1:9").said();
    assert_eq!((said.code, &said.error()["error"]["kind"]), (4, &json!("no-access")));
}
