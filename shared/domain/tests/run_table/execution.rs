//! An execution of the wait loop ends without its run.

use dacapo_domain::{
    Effect, Input, Invoker, Phase, Policy, RecordedError, RunRecord, Task, limits,
    run::{ExecutionEnd, FinalState},
};

use super::{
    records::{aborting, cascades, died, direct, end, hooks, policy, running_in_loop, send, start_loop, waiting},
    tape::{Case, at, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    let (policy, hooks) = (policy(), hooks());
    let known: Task = Task::Known(&policy);
    let with_hooks: &Policy = &hooks;
    let ended = |run: &RunRecord, how| Input::ExecutionEnded(run.invoker.generation(), how);
    let failed = || ExecutionEnd::Failed("States.DataLimitExceeded: too much".to_owned());
    let stopped = "the Step Functions execution was stopped";
    let renewed = |next: &mut RunRecord, now| {
        next.invoker = Invoker::WaitLoop { generation: next.invoker.generation() + 1, execution: None };
        next.reconcile_at = next.reconcile_at.min(Some(at(now) + limits::LOOP_GRACE));
    };
    let exhausted = |next: &mut RunRecord, now| {
        renewed(next, now);
        next.exhausted_count += 1;
    };
    let loop_failed = |next: &mut RunRecord, now| {
        next.error = Some(RecordedError::new("CRASHED", "the loop failed: States.DataLimitExceeded: too much"));
        end(next, FinalState::Failed, now);
    };
    vec![
        tape("an execution stopped before the first attempt aborts the run", &direct())
            .at(5)
            .gets(&ended(&direct(), ExecutionEnd::Stopped), known)
            .stores(|next| end(next, FinalState::Aborted, 5).message = Some(stopped.to_owned())),
        tape("an execution stopped between iterations aborts the run, whose function runs the hooks", &waiting())
            .at(20)
            .gets(&ended(&waiting(), ExecutionEnd::Stopped), Task::Known(with_hooks))
            .stores(|next| {
                let end = end(next, FinalState::Aborted, 20);
                (end.message, end.hooks_pending) = (Some(stopped.to_owned()), true);
                next.reconcile_at = Some(at(20) + limits::LEASE_GRACE);
                cascades(next, 20);
            })
            .effect(send(0)),
        tape("an execution stopped under an attempt asks it to end", &running_in_loop())
            .at(120)
            .gets(&ended(&running_in_loop(), ExecutionEnd::Stopped), known)
            .stores(|next| {
                let Phase::Running { abort, .. } = &mut next.phase else { unreachable!() };
                *abort = Some(stopped.to_owned());
                cascades(next, 120);
            }),
        tape("an execution stopped under an ended lease aborts the run", &running_in_loop())
            .at(150)
            .gets(&ended(&running_in_loop(), ExecutionEnd::Stopped), known)
            .stores(|next| {
                died(next, next.handler_ms);
                end(next, FinalState::Aborted, 150).message = Some(stopped.to_owned());
                next.reconcile_at = Some(at(60)); // As it was: the conductor alone raises it.
                cascades(next, 150);
            }),
        tape("an exhausted execution is followed by another generation", &waiting())
            .at(20)
            .gets(&ended(&waiting(), ExecutionEnd::Exhausted), known)
            .stores(|next| exhausted(next, 20))
            .effect(start_loop_not_before(20, 20 + 60)),
        tape("generations that were handed over don't lengthen the pause before the next", &of_generation(400))
            .at(20)
            .gets(&ended(&of_generation(400), ExecutionEnd::Exhausted), known)
            .stores(|next| exhausted(next, 20))
            .effect(start_loop_not_before(20, 20 + 60)),
        tape("the pause before the next generation doubles with each that ended exhausted", &exhausted_before(3))
            .at(20)
            .gets(&ended(&exhausted_before(3), ExecutionEnd::Exhausted), known)
            .stores(|next| exhausted(next, 20))
            .effect(start_loop_not_before(20, 20 + 8 * 60)),
        tape("the pause before the next generation is an hour at most", &exhausted_before(400))
            .at(20)
            .gets(&ended(&exhausted_before(400), ExecutionEnd::Exhausted), known)
            .stores(|next| exhausted(next, 20))
            .effect(start_loop_not_before(20, 20 + 3_600)),
        tape("an execution exhausted under an attempt is followed by another generation", &running_in_loop())
            .at(120)
            .gets(&ended(&running_in_loop(), ExecutionEnd::Exhausted), known)
            .stores(|next| exhausted(next, 120))
            .effect(start_loop_not_before(120, 120 + 60)),
        tape("an execution that failed between iterations fails the run", &waiting())
            .at(20)
            .gets(&ended(&waiting(), failed()), known)
            .stores(|next| loop_failed(next, 20)),
        tape("an execution that failed under a live lease is followed by another generation", &running_in_loop())
            .at(149)
            .gets(&ended(&running_in_loop(), failed()), known)
            .stores(|next| renewed(next, 149))
            .effect(start_loop(149)),
        tape("an execution that failed under an ended lease fails the run", &running_in_loop())
            .at(150)
            .gets(&ended(&running_in_loop(), failed()), known)
            .stores(|next| {
                died(next, next.handler_ms);
                loop_failed(next, 150);
            }),
        tape("the end of another generation's execution is no news", &waiting())
            .at(20)
            .gets(&Input::ExecutionEnded(2, ExecutionEnd::Stopped), known)
            .keeps(),
        tape("the end of an execution is no news to a run that its queue calls", &aborting())
            .at(20)
            .gets(&ended(&aborting(), ExecutionEnd::Stopped), known)
            .keeps(),
    ]
}

/// One that waits for its next call by the execution of a later generation.
fn of_generation(generation: u32) -> RunRecord {
    RunRecord { invoker: Invoker::WaitLoop { generation, execution: None }, ..waiting() }
}

fn exhausted_before(exhausted_count: u32) -> RunRecord {
    RunRecord { exhausted_count, ..waiting() }
}

/// The next execution, which makes its first call no sooner than that.
fn start_loop_not_before(now: i64, soonest: i64) -> impl FnOnce(&RunRecord) -> Effect {
    move |run| match start_loop(now)(run) {
        Effect::StartWaitLoop { execution, call, until } => {
            Effect::StartWaitLoop { execution, call, until: until.max(at(soonest)) }
        }
        other => other,
    }
}
