//! `doctor`: what is wrong, and what to do about it.

use crate::{dacapo::call, engine::Engine};
use dacapo_domain::Retry;
use serde_json::{Value, json};

fn report(said: &crate::dacapo::Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn of(report: &Value, check: &str) -> Vec<Value> {
    report["findings"].as_array().unwrap().iter().filter(|it| it["check"] == check).cloned().collect()
}

#[test]
fn engine_that_is_well_exits_with_0_and_tells_of_tools_and_health() {
    let said = Engine::start().said("doctor --local --json");
    assert_eq!(said.code, 0, "{said}");
    let report = report(&said);
    assert_eq!(report["place"]["app"], "sample");
    assert!(of(&report, "tools").iter().any(|it| it["found"].as_str().unwrap().starts_with("cargo ")), "{report}");
    assert_eq!(of(&report, "health")[0]["severity"], "ok");
    assert_eq!(of(&report, "credentials"), [Value::Null; 0]);
}

#[test]
fn dead_letters_are_a_warning_with_the_command_that_lists_them() {
    let engine = Engine::start();
    engine.fails("1", Retry::never());
    let said = engine.said("doctor --local");
    assert_eq!(said.code, 0, "{said}");
    assert!(said.out.contains("warning  health       1 dead letter\n"), "{said}");
    assert!(said.out.contains("dacapo dead-letters list --local\n"), "{said}");
    let report = report(&engine.said("doctor --local --json"));
    assert_eq!((&report["worst"], &of(&report, "health")[0]["severity"]), (&json!("warning"), &json!("warning")));
}

#[test]
fn engine_that_does_not_answer_is_a_problem_and_no_access() {
    let said = call("doctor --local --json").env("DACAPO_LOCAL", "http://127.0.0.1:9").said();
    assert_eq!(said.code, 4, "{said}");
    let report = report(&said);
    assert_eq!((&report["worst"], &of(&report, "engine")[0]["next"]), (&json!("problem"), &json!("dacapo dev")));
}

#[cfg(feature = "aws")]
#[test]
fn place_without_credentials_or_region_is_no_access_and_says_what_to_set() {
    for (region, remedy) in [("", "set AWS_REGION"), ("eu-west-1", "AWS_ACCESS_KEY_ID")] {
        let said = call("doctor --app shop --json").env("AWS_REGION", region).env("HOME", "/nowhere").said();
        assert_eq!(said.code, 4, "{said}");
        let report = report(&said);
        assert!(report.to_string().contains(remedy), "{said}");
        assert!(!of(&report, "tools").is_empty() || region.is_empty(), "{said}");
    }
}
