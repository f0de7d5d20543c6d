//! The lifecycle events that a run owes, where a function subscribes to them.

use std::collections::BTreeSet;

use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Input, LifecycleEvent, Phase, Policy, RunRecord, Task, Work, limits,
    run::{Facts, FinalState},
    slot,
};

use super::{
    records::{
        NO_ANSWER, between_attempts, call, cancel_timer, completed, crashed, died, done, end, hooks, hooks_lease, once,
        perishable, policy, queued, running, scheduled, send, take, waiting,
    },
    tape::{Case, at, driven, json, s, tape},
};

fn all() -> BTreeSet<LifecycleEvent> {
    LifecycleEvent::ALL.into()
}

fn owed(events: &[LifecycleEvent]) -> BTreeSet<LifecycleEvent> {
    events.iter().copied().collect()
}

fn subscribed(policy: Policy) -> Policy {
    Policy { publishes: all(), ..policy }
}

/// Taken at 5, its start still to be published.
fn started() -> RunRecord {
    driven(&queued(), 5, &Input::Delivered(queued().purpose()), Task::Known(&subscribed(policy())))
}

/// Completed at 10, its end still to be published until 200.
fn unpublished() -> RunRecord {
    driven(&running(), 10, &done(&running()), Task::Known(&subscribed(policy())))
}

/// An end that is seen to by this process.
fn leased(next: &mut RunRecord, state: FinalState, now: i64, events: &[LifecycleEvent]) {
    let reconcile_at = next.reconcile_at;
    end(next, state, now).hooks_lease = Some(hooks_lease(now));
    next.unpublished = owed(events);
    next.reconcile_at = reconcile_at;
}

pub fn cases() -> Vec<Case<RunRecord>> {
    [starts(), ends(), elsewhere(), settled()].into_iter().flatten().collect()
}

fn starts() -> Vec<Case<RunRecord>> {
    use LifecycleEvent::{Completed, Started};
    let subscribed = subscribed(policy());
    let known = Task::Known(&subscribed);
    let lost = |run: &RunRecord| {
        let Input::AttemptEnded(end) = done(run) else { unreachable!() };
        Input::AttemptEnded(AttemptEnd { published: false, ..end })
    };
    let ended = |next: &mut RunRecord, events: &[LifecycleEvent]| {
        next.handler_ms = 1_000;
        leased(next, FinalState::Completed, 10, events);
    };
    vec![
        tape("the first attempt of a run owes its start", &queued())
            .at(5)
            .gets(&Input::Delivered(queued().purpose()), known)
            .stores(|next| {
                take(next, 5);
                next.unpublished = owed(&[Started]);
            })
            .then(Work::CallHandler),
        tape("a later attempt owes no start", &between_attempts())
            .at(30)
            .gets(&Input::Delivered(between_attempts().purpose()), known)
            .stores(|next| take(next, 30))
            .then(Work::CallHandler),
        tape("a later iteration owes no start", &waiting())
            .at(110)
            .gets(&Input::WaitLoopCalled(call(&waiting())), known)
            .stores(|next| take(next, 110))
            .then(Work::CallHandler),
        tape("an attempt that has published the start owes the end alone", &started())
            .at(10)
            .gets(&done(&started()), known)
            .stores(|next| ended(next, &[Completed]))
            .with(slot::RESULT, json("42"))
            .then(Work::RunEndHooks),
        tape("a start that could not be published is owed with the end", &started())
            .at(10)
            .gets(&lost(&started()), known)
            .stores(|next| ended(next, &[Started, Completed]))
            .with(slot::RESULT, json("42"))
            .then(Work::RunEndHooks),
    ]
}

fn ends() -> Vec<Case<RunRecord>> {
    use LifecycleEvent::{Aborted, Completed, Expired};
    let (subscribed, with_hooks) = (subscribed(policy()), subscribed(hooks()));
    let failed_only = Policy { publishes: owed(&[LifecycleEvent::Failed]), ..policy() };
    let aborted = |run: &RunRecord| {
        Input::AttemptEnded(AttemptEnd::new(run.lease().unwrap().token, AttemptOutcome::Aborted, s(1)))
    };
    let out_of_time = |run: &RunRecord| {
        let Input::AttemptEnded(end) = done(run) else { unreachable!() };
        Input::AttemptEnded(AttemptEnd { has_time: false, ..end })
    };
    vec![
        tape("an end that no function subscribes to owes nothing", &running())
            .at(10)
            .gets(&done(&running()), Task::Known(&failed_only))
            .stores(|next| {
                next.handler_ms = 1_000;
                end(next, FinalState::Completed, 10);
            })
            .with(slot::RESULT, json("42")),
        tape("an abort by the handler is owed", &running())
            .at(10)
            .gets(&aborted(&running()), Task::Known(&subscribed))
            .stores(|next| {
                next.handler_ms = 1_000;
                leased(next, FinalState::Aborted, 10, &[Aborted]);
            })
            .then(Work::RunEndHooks),
        tape("an expiry is owed", &perishable())
            .at(60)
            .gets(&Input::Delivered(perishable().purpose()), Task::Known(&subscribed))
            .stores(|next| leased(next, FinalState::Expired, 60, &[Expired]))
            .then(Work::RunEndHooks),
        tape("hooks and the event of an end have one lease", &running())
            .at(10)
            .gets(&done(&running()), Task::Known(&with_hooks))
            .stores(|next| {
                next.handler_ms = 1_000;
                leased(next, FinalState::Completed, 10, &[Completed]);
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                end.hooks_pending = true;
            })
            .with(slot::RESULT, json("42"))
            .then(Work::RunEndHooks),
        tape("a process without the time for hooks leaves them to another", &running())
            .at(10)
            .gets(&out_of_time(&running()), Task::Known(&with_hooks))
            .stores(|next| {
                next.handler_ms = 1_000;
                leased(next, FinalState::Completed, 10, &[Completed]);
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                (end.hooks_pending, end.hooks_lease) = (true, None);
                next.reconcile_at = Some(at(10) + limits::LEASE_GRACE);
            })
            .with(slot::RESULT, json("42"))
            .effect(send(0)),
        tape("a process without the time for hooks publishes where none follow", &running())
            .at(10)
            .gets(&out_of_time(&running()), Task::Known(&subscribed))
            .stores(|next| {
                next.handler_ms = 1_000;
                leased(next, FinalState::Completed, 10, &[Completed]);
            })
            .with(slot::RESULT, json("42"))
            .then(Work::PublishLifecycle),
    ]
}

fn elsewhere() -> Vec<Case<RunRecord>> {
    use LifecycleEvent::{Aborted, Expired, Failed, Started};
    let (subscribed, once) = (subscribed(policy()), subscribed(once()));
    let with_hooks = Policy { has_end_hooks: true, ..subscribed.clone() };
    let (known, abort) = (Task::Known(&subscribed), Input::AbortRequested("enough".to_owned()));
    vec![
        tape("a client that ends a run publishes that itself", &scheduled())
            .at(5)
            .gets(&abort, known)
            .stores(|next| {
                leased(next, FinalState::Aborted, 5, &[Aborted]);
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                end.message = Some("enough".to_owned());
                next.reconcile_at = Some(at(5 + 190) + limits::LEASE_GRACE);
            })
            .effect(cancel_timer)
            .then(Work::PublishLifecycle),
        tape("a client that ends a run with hooks leaves both to its function", &queued())
            .at(5)
            .gets(&abort, Task::Known(&with_hooks))
            .stores(|next| {
                leased(next, FinalState::Aborted, 5, &[Aborted]);
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                (end.message, end.hooks_pending, end.hooks_lease) = (Some("enough".to_owned()), true, None);
                next.reconcile_at = Some(at(5) + limits::LEASE_GRACE);
            })
            .effect(send(0)),
        tape("the conductor publishes the expiry that it finds", &perishable())
            .at(60)
            .gets(&Input::Reconciled(Facts::Backlog(true)), known)
            .stores(|next| {
                leased(next, FinalState::Expired, 60, &[Expired]);
                next.reconcile_at = Some(at(60 + 190) + limits::LEASE_GRACE);
            })
            .then(Work::PublishLifecycle),
        tape("a run whose first attempt died owes its start and its end", &started())
            .at(65)
            .gets(&Input::Reconciled(Facts::Nothing), Task::Known(&once))
            .stores(|next| {
                died(next, 30_000);
                next.error = Some(crashed(&started(), NO_ANSWER));
                leased(next, FinalState::Failed, 65, &[Started, Failed]);
                next.reconcile_at = Some(at(65 + 190) + limits::LEASE_GRACE);
            })
            .then(Work::PublishLifecycle),
    ]
}

fn settled() -> Vec<Case<RunRecord>> {
    let (subscribed, nothing) = (subscribed(policy()), Input::Reconciled(Facts::Nothing));
    let known = Task::Known(&subscribed);
    let released = |next: &mut RunRecord| {
        let Phase::Ended(end) = &mut next.phase else { unreachable!() };
        end.hooks_lease = None;
    };
    let taken = |next: &mut RunRecord, now| {
        let Phase::Ended(end) = &mut next.phase else { unreachable!() };
        end.hooks_lease = Some(hooks_lease(now));
        next.reconcile_at = Some(at(now + 190) + limits::LEASE_GRACE);
    };
    let unleased = driven(&unpublished(), 11, &Input::EndHooksDone { published: false }, known);
    vec![
        tape("an end that is published leaves nothing to repair", &unpublished())
            .at(11)
            .gets(&Input::EndHooksDone { published: true }, Task::Removed)
            .stores(|next| {
                released(next);
                next.unpublished = owed(&[]);
                next.reconcile_at = None;
            }),
        tape("an end that could not be published is owed on", &unpublished())
            .at(11)
            .gets(&Input::EndHooksDone { published: false }, known)
            .stores(|next| {
                released(next);
                next.reconcile_at = Some(at(10) + limits::LEASE_GRACE);
            }),
        tape("an end that another process publishes is left alone", &unpublished())
            .at(199)
            .gets(&nothing, known)
            .stores(|next| (next.reconcile_count, next.reconcile_at) = (1, Some(at(259)))),
        tape("an end whose process died is published by the conductor", &unpublished())
            .at(220)
            .gets(&nothing, known)
            .stores(|next| taken(next, 220))
            .then(Work::PublishLifecycle),
        tape("an end that could not be published is published by the conductor", &unleased)
            .at(30)
            .gets(&nothing, Task::Removed)
            .stores(|next| taken(next, 30))
            .then(Work::PublishLifecycle),
        tape("a message of an ended run takes what it owes", &unleased)
            .at(12)
            .gets(&Input::Delivered(unleased.purpose()), known)
            .stores(|next| {
                taken(next, 12);
                next.reconcile_at = unleased.reconcile_at;
            })
            .then(Work::RunEndHooks),
        tape("an end that was published is not published again", &completed())
            .at(60)
            .gets(&Input::Delivered(completed().purpose()), known)
            .keeps(),
    ]
}
