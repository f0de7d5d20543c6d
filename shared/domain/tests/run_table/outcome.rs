//! The attempt that holds the lease ends.

use dacapo_domain::{
    AttemptError, AttemptOutcome, Input, Invoker, Logged, Phase, Policy, Progress, RecordedError, RetryHint, RunRecord,
    Task, Version, Wait, Work, limits, run::FinalState, slot,
};

use super::{
    records::{
        aborting, done, end, ended_with, hooks, hooks_lease, not_yet, on_timer, once, policy, retry, running,
        running_in_loop, send, start_loop,
    },
    tape::{Case, at, json, s, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    [ends(), continues(), fails()].into_iter().flatten().collect()
}

fn result(result: Result<dacapo_domain::Json, String>) -> AttemptOutcome {
    AttemptOutcome::Done { result, message: Some("all of it".to_owned()) }
}

fn goes_on(wait: Wait) -> AttemptOutcome {
    AttemptOutcome::Continue { input: json(r#"{"page":2}"#), wait }
}

fn ends() -> Vec<Case<RunRecord>> {
    let (policy, hooks) = (policy(), hooks());
    let known = Task::Known(&policy);
    let large = json(&format!("\"{}\"", "x".repeat(limits::RESULT_BYTES)));
    let mut late = done(&running());
    if let Input::AttemptEnded(end) = &mut late {
        end.token = Version(1);
    }
    let mut told = done(&running());
    if let Input::AttemptEnded(end) = &mut told {
        end.progress = Some(Progress { message: "half".to_owned(), fraction: 0.5 });
        end.logged = Some(Logged { entries: 7, bytes: 700, attempt: 1, again: 0 });
    }
    vec![
        tape("a returned value completes the run", &running())
            .at(10)
            .gets(&ended_with(&running(), result(Ok(json("42")))), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                end(next, FinalState::Completed, 10).message = Some("all of it".to_owned());
            })
            .with(slot::RESULT, json("42")),
        tape("a result too large is left out", &running())
            .at(10)
            .gets(&ended_with(&running(), result(Ok(large))), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                let end = end(next, FinalState::Completed, 10);
                end.message = Some("all of it".to_owned());
                end.result_left_out = Some("the result has 65538 bytes (kept: up to 65536)".to_owned());
            }),
        tape("a result that can't be serialized is left out", &running())
            .at(10)
            .gets(&ended_with(&running(), result(Err("key must be a string".to_owned()))), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                let end = end(next, FinalState::Completed, 10);
                end.message = Some("all of it".to_owned());
                end.result_left_out = Some("the result can't be serialized: key must be a string".to_owned());
            }),
        tape("a run with hooks ends with their lease", &running())
            .at(10)
            .gets(&done(&running()), Task::Known(&hooks))
            .stores(|next| {
                next.handler_ms = 1_000;
                let end = end(next, FinalState::Completed, 10);
                (end.hooks_pending, end.hooks_lease) = (true, Some(hooks_lease(10)));
                next.reconcile_at = running().reconcile_at;
            })
            .with(slot::RESULT, json("42"))
            .then(Work::RunEndHooks),
        tape("a value that comes once the longest duration is over fails the run", &running())
            .at(10)
            .gets(&done(&running()), Task::Known(&Policy { max_duration: Some(s(1)), ..policy.clone() }))
            .stores(|next| {
                next.handler_ms = 1_000;
                let message = "the handler took 1 s in all (`max_duration`: 1 s)";
                next.error = Some(RecordedError::new("MAX_DURATION", message));
                end(next, FinalState::Failed, 10);
            }),
        tape("progress and log entries that were not stored before are stored with the outcome", &running())
            .at(10)
            .gets(&told, known)
            .stores(|next| {
                next.handler_ms = 1_000;
                next.progress = Some(Progress { message: "half".to_owned(), fraction: 0.5 });
                next.logged = Logged { entries: 7, bytes: 700, attempt: 1, again: 0 };
                end(next, FinalState::Completed, 10);
            })
            .with(slot::RESULT, json("42")),
        tape("a value returned after an abort was asked for completes the run", &aborting())
            .at(10)
            .gets(&done(&aborting()), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                end(next, FinalState::Completed, 10);
            })
            .with(slot::RESULT, json("42")),
        tape("a handler that aborts ends the run", &running())
            .at(10)
            .gets(&ended_with(&running(), AttemptOutcome::Aborted), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                end(next, FinalState::Aborted, 10);
            }),
        tape("a handler that heeds an abort ends the run with the abort's message", &aborting())
            .at(10)
            .gets(&ended_with(&aborting(), AttemptOutcome::Aborted), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                end(next, FinalState::Aborted, 10).message = Some("enough".to_owned());
            }),
        tape("an outcome without the lease is refused", &running()).at(10).gets(&late, known).keeps(),
    ]
}

fn continues() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let (short, long) =
        (Policy { max_iterations: Some(1), ..policy.clone() }, Policy { max_duration: Some(s(1)), ..policy.clone() });
    let exhausted = RunRecord { handler_ms: 500, ..running() };
    let failed = |next: &mut RunRecord, code: &str, message: &str| {
        next.handler_ms += 1_000;
        next.error = Some(RecordedError::new(code, message));
        end(next, FinalState::Failed, 10);
    };
    let waits = |next: &mut RunRecord, now: i64, due: i64, iteration| {
        next.phase = Phase::Waiting;
        next.handler_ms += 1_000;
        next.due_at = at(due);
        next.iteration_at = Some(at(due));
        next.iteration = iteration;
        next.invoker = Invoker::WaitLoop { generation: 1, execution: None };
        next.reconcile_at = next.reconcile_at.min(Some(at(now) + limits::LOOP_GRACE));
    };
    let too_large = json(&format!("\"{}\"", "x".repeat(limits::MESSAGE_BYTES)));
    vec![
        tape("a first continue starts the wait loop", &running())
            .at(10)
            .gets(&ended_with(&running(), goes_on(Wait::After(s(100)))), known)
            .stores(|next| waits(next, 10, 110, 2))
            .with(slot::INPUT, json(r#"{"page":2}"#))
            .effect(start_loop(10)),
        tape("a later continue is told to the wait loop that called", &running_in_loop())
            .at(120)
            .gets(&ended_with(&running_in_loop(), goes_on(Wait::At(at(500)))), known)
            .stores(|next| waits(next, 120, 500, 3))
            .with(slot::INPUT, json(r#"{"page":2}"#)),
        tape("a continue after an abort was asked for ends the run", &aborting())
            .at(10)
            .gets(&ended_with(&aborting(), goes_on(Wait::After(s(100)))), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                end(next, FinalState::Aborted, 10).message = Some("enough".to_owned());
            }),
        tape("a continue beyond the last iteration fails the run", &running())
            .at(10)
            .gets(&ended_with(&running(), goes_on(Wait::After(s(100)))), Task::Known(&short))
            .stores(|next| {
                let why = "the handler said `continue` in iteration 1, the last that `max_iterations` allows";
                failed(next, "MAX_ITERATIONS", why);
            }),
        tape("a continue beyond the longest duration fails the run", &exhausted)
            .at(10)
            .gets(&ended_with(&exhausted, goes_on(Wait::After(s(100)))), Task::Known(&long))
            .stores(|next| {
                failed(next, "MAX_DURATION", "the handler took 1.5 s in all (`max_duration`: 1 s)");
            }),
        tape("a continue with an input too large fails the run", &running())
            .at(10)
            .gets(
                &ended_with(&running(), AttemptOutcome::Continue { input: too_large, wait: Wait::After(s(1)) }),
                known,
            )
            .stores(|next| {
                failed(next, "TOO_LARGE", "the input of `continue` has 1048578 bytes (allowed: 1048576)");
            }),
        tape("a continue after a wait too long fails the run", &running())
            .at(10)
            .gets(&ended_with(&running(), goes_on(Wait::After(s(356 * 86_400)))), known)
            .stores(|next| {
                let why = "can't continue after 30758400 s: a wait is 0, or 1 second to 355 days";
                failed(next, "WAIT_OUT_OF_RANGE", why);
            }),
    ]
}

/// The attempt has spent so much, and said how many log entries it kept: none.
fn counted(next: &mut RunRecord, handler_ms: u64) {
    (next.handler_ms, next.logged.attempt) = (handler_ms, next.attempt);
}

fn fails() -> Vec<Case<RunRecord>> {
    let (policy, once) = (policy(), once());
    let known = Task::Known(&policy);
    let long = Policy { max_duration: Some(s(1)), ..policy.clone() };
    let exhausted = RunRecord { handler_ms: 500, ..running() };
    let mismatch = AttemptError::retryable("INPUT_MISMATCH", "missing field `page`");
    let young = |age| Policy { retry: policy.retry.age(s(age)), ..policy.clone() };
    let failed = |error| AttemptOutcome::Failed(error);
    let hint = |retry| AttemptError { retry, ..not_yet() };
    let over = |next: &mut RunRecord, error: AttemptError| {
        counted(next, next.handler_ms + 1_000);
        next.error = Some(error.error);
        end(next, FinalState::Failed, 10);
    };
    vec![
        tape("a failed attempt is tried again by the policy", &running())
            .at(10)
            .gets(&ended_with(&running(), failed(not_yet())), known)
            .stores(|next| {
                counted(next, 1_000);
                retry(next, 10, not_yet().error);
            })
            .effect(send(10)),
        tape("the wait loop that called is told when to try again", &running_in_loop())
            .at(120)
            .gets(&ended_with(&running_in_loop(), failed(not_yet())), known)
            .stores(|next| {
                counted(next, 2_000);
                retry(next, 120, not_yet().error);
            }),
        tape("an error may name the time of the next try", &running())
            .at(10)
            .gets(&ended_with(&running(), failed(hint(RetryHint::At(at(5_000))))), known)
            .stores(|next| {
                counted(next, 1_000);
                retry(next, 10, not_yet().error);
                next.due_at = at(5_000);
            })
            .effect(on_timer),
        tape("an attempt is tried again as long as its iteration is young enough", &running())
            .at(10)
            .gets(&ended_with(&running(), failed(not_yet())), Task::Known(&young(20)))
            .stores(|next| {
                counted(next, 1_000);
                retry(next, 10, not_yet().error);
            })
            .effect(send(10)),
        tape("an attempt whose next would be too old fails the run", &running())
            .at(10)
            .gets(&ended_with(&running(), failed(not_yet())), Task::Known(&young(19)))
            .stores(|next| over(next, not_yet())),
        tape("a time that an error names is no reason for an attempt too old", &running())
            .at(10)
            .gets(&ended_with(&running(), failed(hint(RetryHint::At(at(500))))), Task::Known(&young(20)))
            .stores(|next| over(next, not_yet())),
        tape("the age of an iteration counts from when it was due", &running_in_loop())
            .at(120)
            .gets(&ended_with(&running_in_loop(), failed(not_yet())), Task::Known(&young(20)))
            .stores(|next| {
                counted(next, 2_000);
                retry(next, 120, not_yet().error);
            }),
        tape("a terminal error fails the run", &running())
            .at(10)
            .gets(&ended_with(&running(), failed(hint(RetryHint::Never))), known)
            .stores(|next| over(next, not_yet())),
        tape("the last attempt that the policy allows fails the run", &running())
            .at(10)
            .gets(&ended_with(&running(), failed(hint(RetryHint::At(at(500))))), Task::Known(&once))
            .stores(|next| over(next, not_yet())),
        tape("a run past its longest duration fails with that, not with the error", &exhausted)
            .at(10)
            .gets(&ended_with(&exhausted, failed(not_yet())), Task::Known(&long))
            .stores(|next| {
                let message = "the handler took 1.5 s in all (`max_duration`: 1 s)";
                let mut overrun = AttemptError::terminal("MAX_DURATION", message);
                overrun.error.add_line("after ERROR: not yet");
                over(next, overrun);
            }),
        tape("a failure after an abort was asked for aborts the run", &aborting())
            .at(10)
            .gets(&ended_with(&aborting(), failed(not_yet())), known)
            .stores(|next| {
                counted(next, 1_000);
                end(next, FinalState::Aborted, 10).message = Some("enough".to_owned());
            }),
        tape("a stored input that parses no more waits for the deploy that mends it", &running_in_loop())
            .at(120)
            .gets(&ended_with(&running_in_loop(), failed(mismatch.clone())), Task::Known(&once))
            .stores(|next| {
                counted(next, 2_000);
                retry(next, 120, mismatch.error.clone());
                next.due_at = at(420);
            }),
    ]
}
