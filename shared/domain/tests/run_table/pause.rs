//! A client pauses and resumes a run; one whose attempts are used up is paused.

use dacapo_domain::{
    AttemptOutcome, Input, Invoker, Phase, Policy, RunRecord, Task, Wait, limits,
    run::{ExecutionEnd, Facts, FinalState, Pause},
    slot,
};

use jiff::Timestamp;

use super::{
    records::{
        NO_ANSWER, awaiting, between_attempts, call, cancel_timer, cascades, direct, end, ended_with, exhausted,
        not_yet, on_timer, once, paused, policy, queued, retry, running, running_in_loop, scheduled, send, start_loop,
        stop_loop, told, waiting,
    },
    tape::{Case, at, driven, json, s, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    [pauses(), held(), loops(), resumes(), used_up()].into_iter().flatten().collect()
}

fn pauses() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let pause = Input::PauseRequested;
    let paused_at = |next: &mut RunRecord, now| next.paused = Some(Pause { since: at(now), is_exhausted: false });
    let unwatched = |next: &mut RunRecord, now| {
        paused_at(next, now);
        next.reconcile_at = None;
    };
    vec![
        tape("a run that was not taken is paused", &queued())
            .at(3)
            .gets(&pause, known)
            .stores(|next| unwatched(next, 3)),
        tape("an attempt that executes goes on and is watched while its run is paused", &running())
            .at(8)
            .gets(&pause, known)
            .stores(|next| paused_at(next, 8)),
        tape("a run between iterations is paused", &waiting())
            .at(20)
            .gets(&pause, known)
            .stores(|next| unwatched(next, 20)),
        tape("a run that waits for a signal is paused", &awaiting(None))
            .at(20)
            .gets(&pause, known)
            .stores(|next| unwatched(next, 20)),
        tape("a run that is paused already stays so", &paused(&queued(), 3)).at(4).gets(&pause, known).keeps(),
    ]
}

/// A due run waits for the run to be resumed.
fn is_held(next: &mut RunRecord, generation: u32) {
    next.phase = Phase::Queued;
    next.invoker = Invoker::Queue { generation };
    next.reconcile_at = None;
}

fn held() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let arrives = |run: &RunRecord| Input::Delivered(run.purpose());
    let over = paused(&awaiting(Some(70)), 20);
    let executes = paused(&running(), 8);
    let goes_on = |wait| AttemptOutcome::Continue { input: json("2"), wait };
    vec![
        tape("a message of a paused run is dropped", &paused(&queued(), 3))
            .at(5)
            .gets(&arrives(&queued()), known)
            .keeps(),
        tape("a lost message of a paused run is not sent afresh", &paused(&queued(), 3))
            .at(5)
            .gets(&Input::Undelivered(queued().purpose()), known)
            .keeps(),
        tape("a signal that comes to a paused run is held", &paused(&awaiting(Some(7_200)), 20))
            .at(30)
            .gets(&Input::Signalled(told()), known)
            .stores(|next| {
                is_held(next, 0);
                (next.due_at, next.iteration_at) = (at(30), Some(at(30)));
            })
            .effect(cancel_timer),
        tape("the end of a paused run's wait is held", &over)
            .at(70)
            .gets(&arrives(&over), known)
            .stores(|next| is_held(next, 0)),
        tape("a failed attempt of a paused run is tried again once it is resumed", &executes)
            .at(10)
            .gets(&ended_with(&executes, AttemptOutcome::Failed(not_yet())), known)
            .stores(|next| {
                (next.handler_ms, next.logged.attempt) = (1_000, 1);
                retry(next, 10, not_yet().error);
                is_held(next, 0);
            }),
        tape("a continue of a paused run waits", &executes)
            .at(10)
            .gets(&ended_with(&executes, goes_on(Wait::After(s(100)))), known)
            .stores(|next| {
                next.phase = Phase::Waiting;
                next.handler_ms = 1_000;
                (next.due_at, next.iteration_at, next.iteration) = (at(110), Some(at(110)), 2);
                next.invoker = Invoker::WaitLoop { generation: 1, execution: None };
                next.reconcile_at = None;
            })
            .with(slot::INPUT, json("2"))
            .effect(start_loop(10)),
        tape("a value of a paused run completes it", &executes)
            .at(10)
            .gets(&ended_with(&executes, AttemptOutcome::Done { result: Ok(json("42")), message: None }), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                next.paused = None;
                end(next, FinalState::Completed, 10);
            })
            .with(slot::RESULT, json("42")),
        tape("a paused run is aborted at once", &paused(&scheduled(), 3))
            .at(20)
            .gets(&Input::AbortRequested("enough".to_owned()), known)
            .stores(|next| {
                next.paused = None;
                end(next, FinalState::Aborted, 20).message = Some("enough".to_owned());
            })
            .effect(cancel_timer),
        tape("a paused run is moved without a message", &paused(&queued(), 3))
            .at(5)
            .gets(&Input::Rescheduled(at(305)), known)
            .stores(|next| {
                next.revision = 1;
                (next.due_at, next.scheduled_at) = (at(305), Some(at(305)));
            }),
        tape("a dead attempt of a paused run is tried again once it is resumed", &executes)
            .at(60)
            .gets(&Input::Reconciled(Facts::Nothing), known)
            .stores(|next| {
                super::records::died(next, 30_000);
                retry(next, 60, super::records::crashed(&running(), NO_ANSWER));
                is_held(next, 0);
                let steps = Timestamp::from_second(next.steps.expire_at_s).unwrap();
                next.reconcile_at = Some(at(60).max(steps - limits::STEPS_GRACE));
            }),
    ]
}

fn loops() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let (waits, starts) = (paused(&waiting(), 20), paused(&direct(), 3));
    let executes = paused(&running_in_loop(), 111);
    let ended = |how| Input::ExecutionEnded(1, how);
    vec![
        tape("the call of a paused run's wait loop is held", &waits)
            .at(110)
            .gets(&Input::WaitLoopCalled(call(&waits)), known)
            .stores(|next| is_held(next, 1)),
        tape("the first call of a paused run's wait loop is held", &starts)
            .at(5)
            .gets(&Input::WaitLoopCalled(call(&starts)), known)
            .stores(|next| is_held(next, 1)),
        tape("a call of a paused run that was made in vain is no attempt", &waits)
            .at(110)
            .gets(&Input::WaitLoopCrashed(call(&waits), "out of memory".to_owned()), known)
            .stores(|next| is_held(next, 1)),
        tape("an attempt that its wait loop called leaves a paused run to its queue", &executes)
            .at(120)
            .gets(&ended_with(&executes, AttemptOutcome::Failed(not_yet())), known)
            .stores(|next| {
                (next.handler_ms, next.logged.attempt) = (2_000, 1);
                retry(next, 120, not_yet().error);
                is_held(next, 1);
            }),
        tape("a paused run whose execution failed is held", &waits)
            .at(60)
            .gets(&ended(ExecutionEnd::Failed("States.DataLimitExceeded".to_owned())), known)
            .stores(|next| is_held(next, 1)),
        tape("a paused run whose first execution ran out is held", &starts)
            .at(60)
            .gets(&ended(ExecutionEnd::Exhausted), known)
            .stores(|next| is_held(next, 1)),
        tape("a paused run whose execution is stopped in the console is aborted", &waits)
            .at(60)
            .gets(&ended(ExecutionEnd::Stopped), known)
            .stores(|next| {
                next.paused = None;
                let end = end(next, FinalState::Aborted, 60);
                end.message = Some("the Step Functions execution was stopped".to_owned());
                cascades(next, 60);
            }),
        tape("a paused run between iterations ends with its execution", &waits)
            .at(60)
            .gets(&Input::AbortRequested("enough".to_owned()), known)
            .stores(|next| {
                next.paused = None;
                end(next, FinalState::Aborted, 60).message = Some("enough".to_owned());
                cascades(next, 60);
            })
            .effect(stop_loop),
    ]
}

fn resumes() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let resume = Input::ResumeRequested;
    let goes_on = |next: &mut RunRecord, reconcile| {
        next.paused = None;
        next.reconcile_at = Some(reconcile);
    };
    let waits = paused(&waiting(), 20);
    let called = driven(&waits, 110, &Input::WaitLoopCalled(call(&waits)), known);
    vec![
        tape("a run that was due is sent when it is resumed", &paused(&queued(), 3))
            .at(100)
            .gets(&resume, known)
            .stores(|next| {
                goes_on(next, at(160));
                (next.due_at, next.revision) = (at(100), 1);
            })
            .effect(send(0)),
        tape("a run that is due later gets its timer when it is resumed", &paused(&scheduled(), 3))
            .at(100)
            .gets(&resume, known)
            .stores(|next| {
                goes_on(next, at(3_660));
                next.revision = 1;
            })
            .effect(on_timer),
        tape("a run between two attempts goes on with the next one", &paused(&between_attempts(), 25))
            .at(100)
            .gets(&resume, known)
            .stores(|next| {
                goes_on(next, at(160));
                (next.due_at, next.revision) = (at(100), 1);
            })
            .effect(send(0)),
        tape("a run whose execution still waits goes on waiting", &waits)
            .at(100)
            .gets(&resume, known)
            .stores(|next| goes_on(next, at(110) + limits::LOOP_GRACE)),
        tape("a run whose call was held is sent when it is resumed", &called)
            .at(200)
            .gets(&resume, known)
            .stores(|next| {
                goes_on(next, at(260));
                (next.due_at, next.revision) = (at(200), 1);
            })
            .effect(send(0)),
        tape("a run that still waits for a signal is looked at soon", &paused(&awaiting(None), 20))
            .at(100)
            .gets(&resume, known)
            .stores(|next| goes_on(next, at(160))),
        tape("an attempt that executes goes on as if its run had not been paused", &paused(&running(), 8))
            .at(9)
            .gets(&resume, known)
            .stores(|next| next.paused = None),
        tape("a run that is not paused is not resumed", &queued()).at(5).gets(&resume, known).keeps(),
    ]
}

fn used_up() -> Vec<Case<RunRecord>> {
    let once = Policy { pauses_when_exhausted: true, ..once() };
    let known = Task::Known(&once);
    let spent = |next: &mut RunRecord, now| {
        next.handler_ms += 1_000;
        next.logged.attempt = next.attempt;
        next.error = Some(not_yet().error);
        next.due_at = at(now);
        next.paused = Some(Pause { since: at(now), is_exhausted: true });
    };
    let terminal = dacapo_domain::AttemptError::terminal("BAD_EMAIL", "no address");
    vec![
        tape("a run whose attempts are used up is paused where its task says so", &running())
            .at(10)
            .gets(&ended_with(&running(), AttemptOutcome::Failed(not_yet())), known)
            .stores(|next| {
                spent(next, 10);
                is_held(next, 0);
            }),
        tape("a run of a wait loop whose attempts are used up is left to its queue", &running_in_loop())
            .at(120)
            .gets(&ended_with(&running_in_loop(), AttemptOutcome::Failed(not_yet())), known)
            .stores(|next| {
                spent(next, 120);
                is_held(next, 1);
            }),
        tape("a terminal error fails the run all the same", &running())
            .at(10)
            .gets(&ended_with(&running(), AttemptOutcome::Failed(terminal.clone())), known)
            .stores(|next| {
                (next.handler_ms, next.logged.attempt) = (1_000, 1);
                next.error = Some(terminal.error);
                end(next, FinalState::Failed, 10);
            }),
        tape("a run whose attempts were used up is resumed with attempt 1", &exhausted())
            .at(9_000)
            .gets(&Input::ResumeRequested, known)
            .stores(|next| {
                next.paused = None;
                (next.attempt, next.revision, next.resumed_count) = (1, 1, 1);
                (next.due_at, next.iteration_at) = (at(9_000), Some(at(9_000)));
                next.reconcile_at = Some(at(9_060));
            })
            .effect(send(0)),
    ]
}
