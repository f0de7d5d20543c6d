//! Later calls under the key of a debounced run.

use dacapo_domain::{
    Debounce, Edge, Input, Invoker, Limit, Limits, Machine, NewRun, Phase, Policy, Released, RunRecord, Task, Version,
    run::{Facts, Key},
    slot,
};

use super::{
    records::{created, new, parked_at, paused, policy, queued, running, send},
    tape::{Case, RANDOM, at, context, driven, json, s, tape},
};

/// Due at 10, unless a call comes before, and at 60 at the latest.
pub fn debounced() -> RunRecord {
    created(first_call(Edge::Trailing, Some(60)))
}

fn first_call(edge: Edge, latest: Option<i64>) -> NewRun {
    let debounce = Some(Debounce { edge, latest: latest.map(at), last_call: None });
    NewRun { key: Some(Key { text: "k".to_owned(), until: at(10), debounce }), ..new(10) }
}

/// A call with the body 2 that asks for quiet until then.
pub fn call(due: i64) -> Input {
    Input::Debounced { body: json("2"), due_at: at(due) }
}

/// Has taken a call over.
fn takes_over(next: &mut RunRecord) {
    next.key.as_mut().unwrap().debounce.as_mut().unwrap().last_call = Some(Version(RANDOM));
}

fn moves_to(next: &mut RunRecord, due: i64) {
    takes_over(next);
    (next.due_at, next.scheduled_at) = (at(due), Some(at(due)));
}

fn parked() -> RunRecord {
    driven(&debounced(), 12, &parked_at(&debounced()), Task::Known(&policy()))
}

pub fn cases() -> Vec<Case<RunRecord>> {
    [moved(), parking(), kept()].into_iter().flatten().collect()
}

fn moved() -> Vec<Case<RunRecord>> {
    let (policy, limited) = (policy(), Policy { limits: one_at_once(), ..policy() });
    let known = Task::Known(&policy);
    let at_the_latest = driven(&debounced(), 5, &call(100), known);
    let unbounded = created(first_call(Edge::Trailing, None));
    let sent_again = driven(&unbounded, 70, &Input::Reconciled(Facts::Backlog(false)), known);
    let never_taken = driven(&sent_again, 200, &Input::Reconciled(Facts::Backlog(false)), known);
    let perishable = created(NewRun { ttl: Some(s(30)), ..first_call(Edge::Trailing, None) });
    vec![
        tape(
            "a later call replaces the body, and the message that is on its way is sent on when it comes",
            &debounced(),
        )
        .at(5)
        .gets(&call(15), known)
        .stores(|next| moves_to(next, 15))
        .with(slot::BODY, json("2")),
        tape("a later call of a run that may have asked for a permit makes a revision of its own", &debounced())
            .at(5)
            .gets(&call(15), Task::Known(&limited))
            .stores(|next| {
                moves_to(next, 15);
                next.revision = 1;
            })
            .effect(send(10))
            .with(slot::BODY, json("2")),
        tape("a later call with a shorter delay moves the run to an earlier time", &debounced())
            .at(5)
            .gets(&call(7), known)
            .stores(|next| {
                moves_to(next, 7);
                (next.revision, next.reconcile_at) = (1, Some(at(67)));
            })
            .effect(send(2))
            .with(slot::BODY, json("2")),
        tape("a later call moves a run that is due and not taken yet", &debounced())
            .at(11)
            .gets(&call(21), known)
            .stores(|next| {
                moves_to(next, 21);
                next.revision = 1;
            })
            .effect(send(10))
            .with(slot::BODY, json("2")),
        tape("no call puts a run off beyond the longest delay of the first", &debounced())
            .at(5)
            .gets(&call(100), known)
            .stores(|next| moves_to(next, 60))
            .with(slot::BODY, json("2")),
        tape("a call of a run that is put off no more replaces the body alone", &at_the_latest)
            .at(6)
            .gets(&call(100), known)
            .stores(takes_over)
            .with(slot::BODY, json("2")),
        tape("a call puts the last time to start off", &perishable)
            .at(5)
            .gets(&call(15), known)
            .stores(|next| {
                moves_to(next, 15);
                next.start_by = Some(at(45));
            })
            .with(slot::BODY, json("2")),
        tape("a call of a paused run is taken over, and nothing is sent", &paused(&debounced(), 3))
            .at(11)
            .gets(&call(21), known)
            .stores(|next| {
                moves_to(next, 21);
                next.revision = 1;
            })
            .with(slot::BODY, json("2")),
        tape("a call of a run that its wait loop calls is taken over without a message", &never_taken)
            .at(300)
            .gets(&call(310), known)
            .stores(|next| {
                moves_to(next, 310);
                next.revision = 1;
                next.invoker = Invoker::WaitLoop { generation: 1, execution: None };
            })
            .with(slot::BODY, json("2")),
    ]
}

fn one_at_once() -> Limits {
    Limits { total: Limit { concurrency: Some(1), rate: None }, ..Limits::default() }
}

fn parking() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let released = Released { holder: parked().holder(), pools: parked().permits };
    vec![
        tape("a call of a parked run takes it out of the line until it is due again", &parked())
            .at(20)
            .gets(&call(30), known)
            .stores(|next| {
                moves_to(next, 30);
                (next.phase, next.permits, next.revision) = (Phase::Queued, vec![], 1);
                next.reconcile_at = Some(at(90));
            })
            .gives_back(released)
            .effect(send(10))
            .with(slot::BODY, json("2")),
        tape("a call of a parked run that is put off no more leaves it in line", &parked())
            .at(70)
            .gets(&call(80), known)
            .stores(takes_over)
            .with(slot::BODY, json("2")),
    ]
}

fn kept() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let leading = created(first_call(Edge::Leading, None));
    let taken = driven(&debounced(), 12, &Input::Delivered(debounced().purpose()), known);
    vec![
        tape("a run that started at its first call takes no later one over", &leading)
            .at(5)
            .gets(&call(15), known)
            .keeps(),
        tape("a run that is not debounced takes no call over", &queued()).at(5).gets(&call(15), known).keeps(),
        tape("a run that has started takes no later call over", &taken).at(13).gets(&call(23), known).keeps(),
    ]
}

#[test]
fn call_whose_reply_is_lost_before_the_attempt_is_taken_is_found_in_the_run() {
    let policy = policy();
    let known = Task::Known(&policy);
    let decided = debounced().decide(&call(15), known, &context(5)).record;
    let taken = driven(&decided, 15, &Input::Delivered(decided.purpose()), known);
    assert!(taken.bears(&decided));
    let other = decided.decide(&call(16), known, &context(6)).record;
    assert!(!other.bears(&decided), "another call has taken its place");
    assert!(!running().bears(&decided));
}
