//! Steps as their run knows them, and how long they are kept.

use std::time::Duration;

use dacapo_domain::{
    AttemptOutcome, Input, Phase, Policy, RunRecord, Steps, Task, Wait,
    run::{Facts, FinalState},
};

use super::{
    records::{NO_ANSWER, cascades, crashed, died, done, end, ended_with, policy, retry, running, send, steps_since},
    tape::{Case, at, driven, json, s, tape},
};

const DAY: i64 = 86_400;
/// From the attempt taken at 5 to the day before its steps expire.
const DUE: i64 = 5 + 15 * DAY;

/// The outcome of an attempt that has stored two steps.
fn with_steps(run: &RunRecord, outcome: AttemptOutcome) -> Input {
    let mut input = ended_with(run, outcome);
    if let Input::AttemptEnded(end) = &mut input {
        end.steps = 2;
    }
    input
}

/// The outcome of an attempt that has made a token and waits for it.
fn with_token() -> Input {
    let wait = Wait::Token { run: running().id, name: "approve".to_owned(), until: None };
    let mut input = ended_with(&running(), AttemptOutcome::Continue { input: json("2"), wait });
    if let Input::AttemptEnded(end) = &mut input {
        end.tokens = 1;
    }
    input
}

/// Awaits its token since 10.
fn awaiting() -> RunRecord {
    driven(&running(), 10, &with_token(), Task::Known(&policy()))
}

/// Continued at 10 with two steps, for a time longer than they are kept by themselves.
fn waiting_with_steps() -> RunRecord {
    let wait = Wait::After(Duration::from_secs(100 * 86_400));
    let input = with_steps(&running(), AttemptOutcome::Continue { input: json("2"), wait });
    driven(&running(), 10, &input, Task::Known(&policy()))
}

/// Taken again after its wait, a hundred days later.
fn running_with_steps() -> RunRecord {
    let (policy, waiting) = (policy(), waiting_with_steps());
    let waiting = driven(&waiting, DUE, &Input::Reconciled(Facts::Executing(true)), Task::Known(&policy));
    let call = dacapo_domain::WaitLoopCall::first(&waiting, at(0));
    driven(&waiting, 100 * DAY + 10, &Input::WaitLoopCalled(call), Task::Known(&policy))
}

/// The expiry that is moved at this time.
fn moved_at(now: i64) -> i64 {
    at(now + 386 * DAY).as_second()
}

pub fn cases() -> Vec<Case<RunRecord>> {
    let (policy, short) = (policy(), Policy { history: s(3_600), ..policy() });
    let known = Task::Known(&policy);
    let value = AttemptOutcome::Done { result: Err("none".to_owned()), message: None };
    let complete = |next: &mut RunRecord, now| {
        next.handler_ms += 1_000;
        end(next, FinalState::Completed, now).result_left_out = Some("the result can't be serialized: none".to_owned());
    };
    let reconciled = Input::Reconciled(Facts::Executing(true));
    let call = dacapo_domain::WaitLoopCall::first(&running_with_steps(), at(0));
    vec![
        tape("steps of a run that ends with their attempt expire by themselves", &running())
            .at(10)
            .gets(&with_steps(&running(), value.clone()), known)
            .stores(|next| {
                complete(next, 10);
                next.steps = steps_since(2, 5);
            }),
        tape("steps are kept as long as the history of their task says", &running())
            .at(10)
            .gets(&with_steps(&running(), value.clone()), Task::Known(&short))
            .stores(|next| {
                complete(next, 10);
                next.expires_at_s = Some(at(10 + 3_600).as_second() + 1);
                next.steps = Steps { count: 2, expire_at_s: at(5 + 3_600 + 2 * DAY).as_second(), ..Steps::default() };
            }),
        tape("a crash leaves steps uncounted", &running())
            .at(45)
            .gets(&Input::Delivered(running().purpose()), known)
            .stores(|next| {
                died(next, 30_000);
                retry(next, 45, crashed(&running(), NO_ANSWER));
            })
            .effect(send(10)),
        tape("steps of a waiting run are kept for a year before they expire", &waiting_with_steps())
            .at(DUE)
            .gets(&reconciled, known)
            .stores(|next| {
                next.reconcile_count = 1;
                next.reconcile_at = Some(at(DUE + DAY));
                (next.steps.are_kept, next.steps.expire_at_s) = (true, moved_at(DUE));
            })
            .moves_expiry(moved_at(DUE)),
        tape("steps of a waiting run stay as they are until then", &waiting_with_steps())
            .at(DUE - DAY)
            .gets(&reconciled, known)
            .stores(|next| {
                next.reconcile_count = 1;
                next.reconcile_at = Some(at(DUE));
            }),
        tape("steps that were kept for a year expire with the run", &running_with_steps())
            .at(100 * DAY + 20)
            .gets(&with_steps(&running_with_steps(), value), known)
            .stores(|next| {
                complete(next, 100 * DAY + 20);
                (next.steps.count, next.steps.are_kept) = (4, false);
                next.steps.expire_at_s = next.expires_at_s.unwrap();
            })
            .moves_expiry(at(114 * DAY + 20).as_second() + 1),
        tape(
            "steps of an attempt count beside those that were kept, and are the first to expire",
            &running_with_steps(),
        )
        .at(100 * DAY + 20)
        .gets(
            &with_steps(&running_with_steps(), AttemptOutcome::Continue { input: json("3"), wait: Wait::After(s(60)) }),
            known,
        )
        .stores(|next| {
            next.handler_ms += 1_000;
            next.phase = Phase::Waiting;
            (next.iteration, next.iteration_at) = (3, Some(at(100 * DAY + 80)));
            next.due_at = at(100 * DAY + 80);
            next.steps = Steps { are_kept: true, ..steps_since(4, 100 * DAY + 10) };
        })
        .with(dacapo_domain::slot::INPUT, json("3")),
        tape("steps of a run that is aborted late expire with it", &waiting_with_steps())
            .at(10 * DAY)
            .gets(&Input::AbortRequested("enough".to_owned()), known)
            .stores(|next| {
                end(next, FinalState::Aborted, 10 * DAY).message = Some("enough".to_owned());
                next.reconcile_at = Some(at(60)); // As it was: the conductor alone raises it.
                cascades(next, 10 * DAY);
                next.steps.expire_at_s = next.expires_at_s.unwrap();
            })
            .effect(super::records::stop_loop)
            .moves_expiry(at(24 * DAY).as_second() + 1),
        tape("a token is kept for a year before it expires, as long as its run waits", &awaiting())
            .at(DUE)
            .gets(&Input::Reconciled(Facts::Executing(false)), known)
            .stores(|next| {
                next.reconcile_count = 1;
                next.reconcile_at = Some(at(DUE + DAY));
                next.steps = Steps { tokens: 1, are_kept: true, expire_at_s: moved_at(DUE), ..Steps::default() };
            })
            .moves_expiry(moved_at(DUE)),
        tape("a token of a run that is aborted late expires with it", &awaiting())
            .at(10 * DAY)
            .gets(&Input::AbortRequested("enough".to_owned()), known)
            .stores(|next| {
                end(next, FinalState::Aborted, 10 * DAY).message = Some("enough".to_owned());
                next.reconcile_at = Some(at(60)); // As it was: the conductor alone raises it.
                cascades(next, 10 * DAY);
                next.steps.expire_at_s = next.expires_at_s.unwrap();
            })
            .moves_expiry(at(24 * DAY).as_second() + 1),
        tape("a token of a run that ends soon expires by itself", &awaiting())
            .at(DAY)
            .gets(&Input::AbortRequested("enough".to_owned()), known)
            .stores(|next| {
                end(next, FinalState::Aborted, DAY).message = Some("enough".to_owned());
                next.reconcile_at = Some(at(60)); // As it was: the conductor alone raises it.
                cascades(next, DAY);
                next.steps = Steps { tokens: 1, ..steps_since(0, 5) };
            }),
        tape("a call that changes nothing leaves the steps alone", &running_with_steps())
            .at(100 * DAY + 20)
            .gets(&Input::WaitLoopCalled(call), known)
            .keeps(),
        tape("a late outcome counts no steps", &running()).at(10).gets(&done(&waiting_with_steps()), known).keeps(),
    ]
}
