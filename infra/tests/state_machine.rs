//! The wait loop, read as its graph. That AWS takes each state's fields is checked by cfn-lint, in `make check`.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::collections::BTreeSet;

use dacapo_infra::WAIT_LOOP;
use serde_json::{Map, Value};

#[test]
fn states_of_the_loop_are_all_there_and_reached() {
    let definition = definition();
    let states = states(&definition);
    let mut reached = BTreeSet::new();
    let mut ahead = vec![definition["StartAt"].as_str().unwrap().to_owned()];
    while let Some(name) = ahead.pop() {
        let state = states.get(&name).unwrap_or_else(|| panic!("{name} is missing"));
        if reached.insert(name) {
            ahead.extend(successors(state));
        }
    }
    assert_eq!(reached, states.keys().cloned().collect());
}

#[test]
fn round_of_the_loop_that_waits_is_three_transitions() {
    let definition = definition();
    let next = |name: &str| states(&definition)[name]["Next"].clone();
    assert_eq!((next("Wait"), next("Call")), ("Call".into(), "What next?".into()));
    let back = states(&definition)["What next?"]["Choices"].as_array().unwrap();
    assert!(back.iter().any(|rule| rule["StringEquals"] == "wait" && rule["Next"] == "Wait"), "{back:?}");
}

#[test]
fn invocation_of_lambda_keeps_only_the_answer() {
    let definition = definition();
    for (name, state) in states(&definition) {
        if state["Resource"].as_str().is_some_and(|resource| resource.ends_with("lambda:invoke")) {
            assert_eq!(state["ResultSelector"]["answer.$"], "$.Payload", "{name}");
            assert_eq!(state["OutputPath"], "$.answer", "{name}");
        }
    }
}

#[test]
fn call_that_fails_is_retried_or_told_as_a_crash() {
    let definition = definition();
    let call = &states(&definition)["Call"];
    let retried: Vec<&str> = call["Retry"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|retry| retry["ErrorEquals"].as_array().unwrap())
        .map(|error| error.as_str().unwrap())
        .collect();
    for error in [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ] {
        assert!(retried.contains(&error), "{error}");
    }
    let caught = call["Catch"].as_array().unwrap().last().unwrap();
    assert_eq!((&caught["ErrorEquals"][0], &caught["Next"]), (&"States.ALL".into(), &"Tell of the crash".into()));
}

#[test]
fn call_that_stays_throttled_waits_and_is_no_crash() {
    let definition = definition();
    let call = &states(&definition)["Call"];
    assert_eq!(call["Catch"][0]["ErrorEquals"], call["Retry"][0]["ErrorEquals"]);
    assert_eq!((&call["Catch"][0]["Next"], &call["Catch"][0]["ResultPath"]), (&"Wait".into(), &"$.error".into()));
}

/// The limit is 25,000 events in an execution; a round takes nine, a retry three, and it hands over at 2,000 rounds.
#[test]
fn execution_at_its_last_round_has_events_left_for_all_retries_of_one_call() {
    let definition = definition();
    let retries: u64 = ["Call", "Tell of the crash"]
        .iter()
        .flat_map(|name| states(&definition)[*name]["Retry"].as_array().unwrap())
        .map(|retry| retry["MaxAttempts"].as_u64().unwrap())
        .sum();
    assert!(2_000 * 9 + 3 * retries < 25_000, "{retries}");
}

#[test]
fn call_may_take_longer_than_lambdas_longest_timeout() {
    let longest = dacapo_domain::limits::MAX_TIMEOUT.as_secs();
    assert_eq!(states(&definition())["Call"]["TimeoutSeconds"], longest + 60);
}

fn definition() -> Value {
    serde_json::from_str(WAIT_LOOP).unwrap()
}

fn states(definition: &Value) -> &Map<String, Value> {
    definition["States"].as_object().unwrap()
}

fn successors(state: &Value) -> Vec<String> {
    let branches = ["Choices", "Catch"].into_iter().filter_map(|field| state[field].as_array()).flatten();
    let named = branches.map(|branch| &branch["Next"]).chain([&state["Next"], &state["Default"]]);
    named.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}
