//! The command that starts a process, and the time after which the process is stopped.

use dacapo_domain::{FunctionEntry, LifecycleEvent, Policy, TaskEntry, limits, seconds};

use super::Program;
use crate::runtime_api::Slots;

/// A program of a task with this policy.
fn program(policy: Policy) -> Program {
    let entry = TaskEntry { name: "greet".to_owned(), policy, private: false, may_continue: true, schedules: vec![] };
    Program::new(&FunctionEntry::task("greet", 128, entry), "greet".into(), "shop", "local", "")
}

/// A variable that its process gets.
fn told(program: &Program, name: &str) -> String {
    let command = program.command(1, &Slots::new().unwrap());
    let told = command.as_std().get_envs().find(|(told, _)| *told == name);
    told.unwrap().1.unwrap().to_str().unwrap().to_owned()
}

#[test]
fn process_is_stopped_after_its_lambdas_timeout_which_leaves_time_to_record_a_handlers_own() {
    let short = Policy { timeout: seconds(3), max_timeout: seconds(3), ..Policy::default() };
    assert_eq!(program(short).limit, seconds(8));
    let longest = Policy { max_timeout: limits::MAX_TIMEOUT, ..Policy::default() };
    assert_eq!(program(longest).limit, limits::MAX_TIMEOUT, "where the handler itself is stopped before");
    let events = FunctionEntry::events("joined", 128, vec![]);
    assert_eq!(Program::new(&events, "joined".into(), "shop", "local", "").limit, seconds(900));
}

#[test]
fn process_is_told_which_lifecycle_events_of_its_task_have_subscribers() {
    let told = |publishes| told(&program(Policy { publishes, ..Policy::default() }), "DACAPO_LIFECYCLE");
    assert_eq!(told([LifecycleEvent::Failed, LifecycleEvent::Completed].into()), "completed,failed");
    assert_eq!(told([].into()), "");
}

#[test]
fn process_is_told_the_variables_of_its_function_beside_those_of_lambda() {
    let program = program(Policy::default()).with([("SENDER".to_owned(), "mail@shop.example".to_owned())].into());
    assert_eq!(told(&program, "SENDER"), "mail@shop.example");
    assert_eq!(told(&program, "AWS_LAMBDA_FUNCTION_NAME"), "shop-local-greet");
}
