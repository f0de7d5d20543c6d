//! The wait loop, read as its graph. That AWS takes each state's fields is checked by cfn-lint, in `make check`.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::collections::BTreeSet;

use dacapo_domain::{DecisionContext, NewRun, RunRecord, Trigger, WaitLoopCall, limits};
use dacapo_infra::WAIT_LOOP;
use serde_json::{Map, Value, json};

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
    assert_eq!(call["Catch"][0]["Next"], "Wait");
}

/// The limit is 25,000 events in an execution.
#[test]
fn execution_that_is_told_to_hand_over_has_events_left_for_all_retries_of_one_more_round_and_of_that() {
    let tries: u64 = ["Call", "Tell of the crash", "Hand over"].iter().map(|name| retries_of(name)).sum();
    let states = ["Wait", "Call", "Tell of the crash", "What next?", "Hand over", "Handed over"];
    let most = u64::from(limits::LOOP_EVENTS) + u64::from(limits::TRY_EVENTS) * tries + events(&states);
    assert!(most < 25_000, "{most}");
    let of_rounds = u64::from(limits::LOOP_ROUNDS) * events(&["Wait", "Call", "What next?"]);
    assert!(of_rounds < limits::LOOP_EVENTS.into(), "{of_rounds}");
}

#[test]
fn call_says_how_often_it_was_retried_and_a_crash_counts_as_much_as_it_may_have_been() {
    let definition = definition();
    let payload = |name: &str| &states(&definition)[name]["Parameters"]["Payload"];
    let retries = "$$.State.RetryCount";
    assert_eq!(payload("Call")["loop/2"], json!({ "call.$": "$.call", "retries.$": retries }));
    assert_eq!(payload("Tell of the crash")["crash/1"]["retries.$"], retries);
    let told = u64::from(limits::TRY_EVENTS * limits::CRASH_TRIES);
    assert!(3 * retries_of("Call") + events(&["Tell of the crash"]) <= told);
    assert_eq!(events(&["Wait", "Call", "What next?"]), u64::from(limits::ROUND_EVENTS));
}

/// The events of what is not answered are counted by no process.
#[test]
fn call_that_stayed_throttled_says_so_once_it_is_made() {
    assert_eq!(states(&definition())["Call"]["Catch"][0]["ResultPath"], "$.call.throttled");
    let cx = DecisionContext { now: "2026-01-01T00:00:00Z".parse().unwrap(), random: 1 };
    let new = NewRun::at("01JD0000000000000000000000".parse().unwrap(), "import", cx.now, Trigger::Run);
    let mut call = serde_json::to_value(WaitLoopCall::first(&RunRecord::create(new, &cx).record, cx.now)).unwrap();
    call["throttled"] = json!({ "Error": "Lambda.TooManyRequestsException", "Cause": "Rate exceeded" });
    assert!(serde_json::from_value::<WaitLoopCall>(call).unwrap().throttled.is_some());
}

#[test]
fn call_may_take_longer_than_lambdas_longest_timeout() {
    let longest = limits::MAX_TIMEOUT.as_secs();
    assert_eq!(states(&definition())["Call"]["TimeoutSeconds"], longest + 60);
}

fn definition() -> Value {
    serde_json::from_str(WAIT_LOOP).unwrap()
}

fn states(definition: &Value) -> &Map<String, Value> {
    definition["States"].as_object().unwrap()
}

/// The tries of a state beyond its first, at most.
fn retries_of(name: &str) -> u64 {
    let definition = definition();
    let retries = states(&definition)[name]["Retry"].as_array().unwrap();
    retries.iter().map(|retry| retry["MaxAttempts"].as_u64().unwrap()).sum()
}

/// The events of states that are passed through once: entered and exited, and of a task scheduled, started and ended.
fn events(names: &[&str]) -> u64 {
    let definition = definition();
    let of = |name: &&str| if states(&definition)[*name]["Type"] == "Task" { 5 } else { 2 };
    names.iter().map(of).sum()
}

fn successors(state: &Value) -> Vec<String> {
    let branches = ["Choices", "Catch"].into_iter().filter_map(|field| state[field].as_array()).flatten();
    let named = branches.map(|branch| &branch["Next"]).chain([&state["Next"], &state["Default"]]);
    named.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}
