//! Runs whose message is never taken.

use dacapo_domain::{
    DecisionContext, Id, Input, Machine, NewRun, Policy, Retry, RunRecord, State, Task, Trigger, WaitLoopCall,
    run::Facts, seconds,
};

use super::start;

#[test]
fn run_sent_again_and_still_not_taken_fails_by_the_crash_that_its_wait_loop_reports() {
    let policy = Policy { retry: Retry::never(), ..Policy::default() };
    let task = Task::Known(&policy);
    let new = NewRun::at(Id::new(start(), 7), "import", start(), Trigger::Run);
    let mut run = RunRecord::create(new, &DecisionContext { now: start(), random: 1 }).record;
    let mut now = start();
    for is_queue in [true, false] {
        now = now.max(run.reconcile_at.unwrap());
        let cx = DecisionContext { now, random: 2 };
        run = run.decide(&Input::Reconciled(Facts::Backlog(false)), task, &cx).record;
        assert_eq!(run.invoker.is_queue(), is_queue);
    }
    let crash = Input::WaitLoopCrashed(WaitLoopCall::first(&run, now), "Runtime.ExitError".to_owned());
    let ended = run.decide(&crash, task, &DecisionContext { now, random: 3 }).record;
    assert_eq!((ended.state_at(now), &*ended.error.unwrap().code), (State::Failed, "CRASHED"));
}

#[test]
fn run_that_was_never_taken_is_submitted_between_two_attempts_and_scheduled_where_it_is_moved() {
    let (policy, cx) = (Policy::default(), DecisionContext { now: start(), random: 1 });
    let task = Task::Known(&policy);
    let new = NewRun::at(Id::new(start(), 7), "import", start(), Trigger::Run);
    let run = RunRecord::create(NewRun { execution: Some("by-hand".to_owned()), ..new }, &cx).record;
    assert_eq!(run.state_at(start()), State::Submitted);
    let crash = Input::WaitLoopCrashed(WaitLoopCall::first(&run, start()), "Runtime.ExitError".to_owned());
    let again = run.decide(&crash, task, &cx).record;
    assert!(again.due_at > start());
    assert_eq!(again.state_at(start()), State::Submitted);
    let moved = again.decide(&Input::Rescheduled(start() + seconds(60)), task, &cx).record;
    assert_eq!(moved.state_at(start()), State::Scheduled);
    assert_eq!(moved.state_at(moved.due_at), State::Submitted);
}
