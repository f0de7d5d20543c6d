//! An attempt takes permits, finds none, waits for one, and gives back what it holds.

use dacapo_domain::{
    AttemptOutcome, FinalState, Input, Invoker, Phase, Policy, Released, RunRecord, Task, Work,
    run::{Facts, Pause},
    slot,
};

use super::{
    control::unknown,
    records::{
        customer, done, end, ended_with, not_yet, parked, parked_at, paused, perishable, permitted, policy, pool,
        queued, retry, send, take, waiting,
    },
    tape::{Case, at, json, s, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    [takes(), parks(), leaves(), watched()].into_iter().flatten().collect()
}

fn released(run: &RunRecord) -> Released {
    Released { holder: run.holder(), pools: run.permits.clone() }
}

fn arrives(run: &RunRecord) -> Input {
    Input::Delivered(run.purpose())
}

fn takes() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let with_both = Input::Permitted(Box::new(arrives(&queued())), vec![customer(), pool()]);
    vec![
        tape("an attempt that is taken notes its permits", &queued())
            .at(5)
            .gets(&with_both, known)
            .stores(|next| {
                take(next, 5);
                next.permits = vec![customer(), pool()];
            })
            .then(Work::CallHandler),
        tape("a parked run that is called is taken", &parked(&queued()))
            .at(70)
            .gets(&Input::Permitted(Box::new(arrives(&queued())), vec![customer(), pool()]), known)
            .stores(|next| {
                take(next, 70);
                next.permits = vec![customer(), pool()];
                next.reconcile_at = Some(at(130));
            })
            .then(Work::CallHandler),
        tape("a parked run that is called too late expires and gives back what it held", &parked(&perishable()))
            .at(61)
            .gets(&arrives(&perishable()), known)
            .stores(|next| {
                next.permits = vec![];
                end(next, FinalState::Expired, 61);
            })
            .gives_back(released(&parked(&perishable()))),
        tape("a lost message of a parked run is sent afresh", &parked(&queued()))
            .at(70)
            .gets(&Input::Undelivered(queued().purpose()), known)
            .keeps()
            .effect(send(0)),
    ]
}

fn parks() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let is_parked = |next: &mut RunRecord| {
        next.phase = Phase::Parked { pool: pool(), is_held: false };
        next.permits = vec![customer()];
        next.reconcile_at = None;
    };
    let late = Policy { ttl: Some(s(3_600)), ..policy.clone() };
    vec![
        tape("an attempt that finds no permit is parked, and nothing watches it", &queued())
            .at(5)
            .gets(&parked_at(&queued()), known)
            .stores(is_parked),
        tape("a parked run is watched until it expires", &queued())
            .at(5)
            .gets(&parked_at(&queued()), Task::Known(&late))
            .stores(|next| {
                is_parked(next);
                next.reconcile_at = Some(at(3_660));
            }),
        tape("an iteration that finds no permit is parked, and its queue calls it", &waiting())
            .at(110)
            .gets(&parked_at(&waiting()), known)
            .stores(|next| {
                is_parked(next);
                next.invoker = Invoker::Queue { generation: 1 };
            }),
        tape("an iteration that is not due is not parked", &waiting())
            .at(109)
            .gets(&parked_at(&waiting()), known)
            .keeps(),
        tape("a paused run is not parked", &paused(&queued(), 3)).at(5).gets(&parked_at(&queued()), known).keeps(),
        tape("a run that has gone on is not parked for its former attempt", &paused(&waiting(), 20))
            .at(110)
            .gets(&parked_at(&queued()), known)
            .keeps(),
    ]
}

fn leaves() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    vec![
        tape("an attempt that completes its run gives its permits back", &permitted())
            .at(10)
            .gets(&done(&permitted()), known)
            .stores(|next| {
                next.handler_ms = 1_000;
                next.permits = vec![];
                end(next, FinalState::Completed, 10);
            })
            .with(slot::RESULT, json("42"))
            .gives_back(released(&permitted())),
        tape("an attempt that fails gives its permits back", &permitted())
            .at(10)
            .gets(&ended_with(&permitted(), AttemptOutcome::Failed(not_yet())), known)
            .stores(|next| {
                (next.handler_ms, next.logged.attempt) = (1_000, 1);
                next.permits = vec![];
                retry(next, 10, not_yet().error);
            })
            .gives_back(released(&permitted()))
            .effect(send(10)),
        tape("a parked run that is aborted gives back what it held", &parked(&queued()))
            .at(20)
            .gets(&Input::AbortRequested("enough".to_owned()), known)
            .stores(|next| {
                next.permits = vec![];
                end(next, FinalState::Aborted, 20).message = Some("enough".to_owned());
            })
            .gives_back(released(&parked(&queued()))),
        tape("a parked run that is paused asks for its permits anew", &parked(&queued()))
            .at(20)
            .gets(&Input::PauseRequested, known)
            .stores(|next| {
                next.paused = Some(Pause { since: at(20), is_exhausted: false });
                (next.phase, next.permits, next.revision) = (Phase::Queued, vec![], 1);
            })
            .gives_back(released(&parked(&queued()))),
        tape("a parked run that is moved asks for its permits anew", &parked(&queued()))
            .at(20)
            .gets(&Input::Rescheduled(at(100)), known)
            .stores(|next| {
                (next.phase, next.permits, next.revision) = (Phase::Queued, vec![], 1);
                (next.due_at, next.scheduled_at, next.reconcile_at) = (at(100), Some(at(100)), Some(at(160)));
            })
            .gives_back(released(&parked(&queued())))
            .effect(send(80)),
    ]
}

fn removed(next: &mut RunRecord, now: i64) {
    next.permits = vec![];
    unknown(next, now);
}

fn watched() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let reconciled = Input::Reconciled(Facts::Nothing);
    let again = |next: &mut RunRecord| (next.reconcile_count, next.reconcile_at) = (1, None);
    vec![
        tape("a parked run that the conductor comes by stays in line", &parked(&queued()))
            .at(5_000)
            .gets(&reconciled, known)
            .stores(again),
        tape("a parked run whose task is gone fails and gives back what it held", &parked(&queued()))
            .at(5_000)
            .gets(&reconciled, Task::Removed)
            .stores(|next| removed(next, 5_000))
            .then(Work::PublishLifecycle)
            .gives_back(released(&parked(&queued()))),
        tape("a parked run that is called after its task has gone fails", &parked(&queued()))
            .at(5_000)
            .gets(&Input::TaskRemoved, Task::Removed)
            .stores(|next| removed(next, 5_000))
            .then(Work::PublishLifecycle)
            .gives_back(released(&parked(&queued()))),
        tape("a parked run that is past its time expires by the conductor", &parked(&perishable()))
            .at(130)
            .gets(&reconciled, known)
            .stores(|next| {
                next.permits = vec![];
                end(next, FinalState::Expired, 130);
            })
            .gives_back(released(&parked(&perishable()))),
    ]
}
