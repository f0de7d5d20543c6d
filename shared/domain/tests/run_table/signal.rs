//! A run waits for a signal: it is stored first, then looked for; it wakes the run once.

use dacapo_domain::{
    AttemptOutcome, Id, Input, Invoker, Phase, RecordedError, RunRecord, Signal, Task, Wait, Work, limits,
    run::{Facts, FinalState},
    slot,
};
use jiff::Timestamp;

use super::{
    control::{found_unknown, unknown},
    records::{
        awaited, awaiting, awaiting_children, cancel_timer, cascades, end, ended_with, on_timer, policy, running,
        running_in_loop, send, take, token, told,
    },
    tape::{Case, at, json, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    [waits(), signals(), times(), ends()].into_iter().flatten().collect()
}

fn waits() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let theirs = Wait::Token { run: Id::new(Timestamp::UNIX_EPOCH, 3), name: "approve".to_owned(), until: None };
    let goes_on = |wait| AttemptOutcome::Continue { input: json(r#"{"page":2}"#), wait };
    let awaits = |next: &mut RunRecord, signal, until: Option<i64>, due, iteration| {
        next.phase = Phase::Awaiting { signal, until: until.map(at) };
        next.handler_ms += 1_000;
        (next.due_at, next.iteration_at) = (at(due), Some(at(due)));
        next.iteration = iteration;
    };
    vec![
        tape("a wait for a token is stored, then the token is looked for", &running())
            .at(10)
            .gets(&ended_with(&running(), goes_on(token(None))), known)
            .stores(|next| awaits(next, told(), None, 10, 2))
            .with(slot::INPUT, json(r#"{"page":2}"#))
            .then(Work::LookForSignal),
        tape("a message brings the near end of a wait for a token", &running())
            .at(10)
            .gets(&ended_with(&running(), goes_on(token(Some(70)))), known)
            .stores(|next| awaits(next, told(), Some(70), 70, 2))
            .with(slot::INPUT, json(r#"{"page":2}"#))
            .effect(send(60))
            .then(Work::LookForSignal),
        tape("a timer brings the far end of a wait for a token", &running())
            .at(10)
            .gets(&ended_with(&running(), goes_on(token(Some(7_200)))), known)
            .stores(|next| awaits(next, told(), Some(7_200), 7_200, 2))
            .with(slot::INPUT, json(r#"{"page":2}"#))
            .effect(on_timer)
            .then(Work::LookForSignal),
        tape("a wait for a token that is over already ends at once", &running())
            .at(10)
            .gets(&ended_with(&running(), goes_on(token(Some(7)))), known)
            .stores(|next| awaits(next, told(), Some(7), 10, 2))
            .with(slot::INPUT, json(r#"{"page":2}"#))
            .effect(send(0))
            .then(Work::LookForSignal),
        tape("a run that waits for another run's token fails", &running())
            .at(10)
            .gets(&ended_with(&running(), goes_on(theirs)), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                let why = "can't wait for token \"approve\" of run 00000000000000000000000003: a run waits for its own \
                           (`cx.token`)";
                next.error = Some(RecordedError::new("ERROR", why));
                end(next, FinalState::Failed, 10);
            }),
        tape("a run that its wait loop called waits for children without it", &running_in_loop())
            .at(120)
            .gets(&ended_with(&running_in_loop(), goes_on(Wait::Children(awaited()))), known)
            .stores(|next| {
                awaits(next, Signal::Children { iteration: 3 }, None, 120, 3);
                next.invoker = Invoker::Queue { generation: 1 };
            })
            .with(slot::INPUT, json(r#"{"page":2}"#))
            .with(slot::CHILDREN, json(r#"[{"task":"check","id":"01KJN83200000000000000000C"}]"#))
            .then(Work::LookForSignal),
    ]
}

/// The next iteration is due, and watched as what is due.
fn wakes(next: &mut RunRecord, now: i64) {
    next.phase = Phase::Queued;
    (next.due_at, next.iteration_at) = (at(now), Some(at(now)));
    next.reconcile_at = next.reconcile_at.min(Some(at(now) + limits::QUEUE_GRACE));
}

fn signals() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let watched_late = RunRecord { reconcile_at: Some(at(86_400)), ..awaiting(None) };
    let children = |iteration| Input::Signalled(Signal::Children { iteration });
    vec![
        tape("the signal that a run waits for makes its next iteration due", &awaiting(None))
            .at(30)
            .gets(&Input::Signalled(told()), known)
            .stores(|next| wakes(next, 30))
            .effect(send(0)),
        tape("a woken run is watched at once, however late it was to be looked at", &watched_late)
            .at(7_000)
            .gets(&Input::Signalled(told()), known)
            .stores(|next| {
                wakes(next, 7_000);
                next.reconcile_at = Some(at(7_060));
            })
            .effect(send(0)),
        tape("a run that is woken before its wait is over loses the timer", &awaiting(Some(7_200)))
            .at(30)
            .gets(&Input::Signalled(told()), Task::Removed)
            .stores(|next| wakes(next, 30))
            .effect(send(0))
            .effect(cancel_timer),
        tape("another token wakes no run", &awaiting(None))
            .at(30)
            .gets(&Input::Signalled(Signal::Token { name: "refuse".to_owned() }), known)
            .keeps(),
        tape("the end of its children makes a run's next iteration due", &awaiting_children())
            .at(130)
            .gets(&children(3), known)
            .stores(|next| wakes(next, 130))
            .effect(send(0)),
        tape("the end of the children of an earlier iteration wakes no run", &awaiting_children())
            .at(130)
            .gets(&children(2), known)
            .keeps(),
    ]
}

fn times() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let arrives = |run: &RunRecord| Input::Delivered(run.purpose());
    let nothing = Input::Reconciled(Facts::Nothing);
    let again = |next: &mut RunRecord, reconcile_at| {
        (next.reconcile_at, next.reconcile_count) = (Some(reconcile_at), next.reconcile_count + 1);
    };
    vec![
        tape("the end of a wait takes the next iteration", &awaiting(Some(70)))
            .at(70)
            .gets(&arrives(&awaiting(Some(70))), known)
            .stores(|next| take(next, 70))
            .then(Work::CallHandler),
        tape("a message before the end of a wait is sent again", &awaiting(Some(70)))
            .at(69)
            .gets(&arrives(&awaiting(Some(70))), known)
            .keeps()
            .effect(send(1)),
        tape("a message of an earlier iteration ends no wait", &awaiting(Some(70)))
            .at(70)
            .gets(&arrives(&running()), known)
            .keeps(),
        tape("a message ends no wait that has no end", &awaiting(None))
            .at(70)
            .gets(&arrives(&awaiting(None)), known)
            .keeps(),
        tape("the end of a wait that was received in vain is sent afresh", &awaiting(Some(70)))
            .at(100)
            .gets(&Input::Undelivered(awaiting(Some(70)).purpose()), known)
            .keeps()
            .effect(send(0)),
        tape("a run whose signal has not come is looked at each day", &awaiting(None))
            .at(65)
            .gets(&nothing, known)
            .stores(|next| again(next, at(65) + limits::WAIT_GRACE)),
        tape("a run whose children have not ended is looked at again after a quarter of an hour", &awaiting_children())
            .at(190)
            .gets(&nothing, known)
            .stores(|next| again(next, at(190) + limits::LOOP_GRACE)),
        tape(
            "a run whose children have not ended is looked at again once it has waited twice as long",
            &awaiting_children(),
        )
        .at(7_320)
        .gets(&nothing, known)
        .stores(|next| again(next, at(14_520))),
        tape("a run whose children have not ended is looked at each day", &awaiting_children())
            .at(1_000_000)
            .gets(&nothing, known)
            .stores(|next| again(next, at(1_086_400))),
        tape("a run whose signal has not come is looked at when its wait is over", &awaiting(Some(7_200)))
            .at(65)
            .gets(&nothing, known)
            .stores(|next| again(next, at(7_260))),
        tape("the lost end of a wait makes the next iteration due", &awaiting(Some(70)))
            .at(130)
            .gets(&nothing, known)
            .stores(|next| {
                wakes(next, 130);
                next.reconcile_at = Some(at(190));
            })
            .effect(send(0)),
    ]
}

fn ends() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let abort = Input::AbortRequested("enough".to_owned());
    let aborted = |next: &mut RunRecord| {
        end(next, FinalState::Aborted, 20).message = Some("enough".to_owned());
        cascades(next, 20);
    };
    vec![
        tape("a run that waits for a signal is aborted at once", &awaiting(None))
            .at(20)
            .gets(&abort, known)
            .stores(aborted),
        tape("a run that waits for a signal is aborted with its timer", &awaiting(Some(7_200)))
            .at(20)
            .gets(&abort, known)
            .stores(aborted)
            .effect(cancel_timer),
        tape("a run that waits for a signal fails when its task is removed", &awaiting(None))
            .at(20)
            .gets(&Input::TaskRemoved, Task::Removed)
            .stores(|next| unknown(next, 20))
            .then(Work::PublishLifecycle),
        tape("a run that waits for a signal fails when the conductor finds its task removed", &awaiting(None))
            .at(65)
            .gets(&Input::Reconciled(Facts::Nothing), Task::Removed)
            .stores(|next| found_unknown(next, 65))
            .then(Work::PublishLifecycle),
    ]
}
