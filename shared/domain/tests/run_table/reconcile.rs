//! The conductor reconciles a run with what it found out.

use dacapo_domain::{
    Input, Invoker, Phase, RunRecord, Task, Work, limits,
    run::{Facts, FinalState},
};

use super::{
    control::found_unknown,
    records::{
        NO_ANSWER, completed, crashed, delegated, died, direct, end, hooks, once, perishable, policy, queued, retry,
        running, running_in_loop, scheduled, send, start_loop, waiting, with_hooks,
    },
    tape::{Case, at, driven, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    [queue(), wait_loop(), attempts(), over()].into_iter().flatten().collect()
}

/// Nothing was repaired: the next time, and one more in a row.
fn again(next: &mut RunRecord, reconcile: i64) {
    next.reconcile_at = Some(at(reconcile));
    next.reconcile_count += 1;
}

fn queue() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let twice = driven(&queued(), 60, &Input::Reconciled(Facts::Backlog(false)), known);
    let busy = driven(&queued(), 120, &Input::Reconciled(Facts::Backlog(true)), known);
    vec![
        tape("a run that is not due is reconciled after it is", &scheduled())
            .at(60)
            .gets(&Input::Reconciled(Facts::Nothing), known)
            .stores(|next| again(next, 3_660)),
        tape("a run in a queue with a backlog waits for its turn", &queued())
            .at(60)
            .gets(&Input::Reconciled(Facts::Backlog(true)), known)
            .stores(|next| next.reconcile_at = Some(at(120))),
        tape("a run whose queue is still busy is reconciled ever later", &busy)
            .at(240)
            .gets(&Input::Reconciled(Facts::Backlog(true)), known)
            .stores(|next| next.reconcile_at = Some(at(480))),
        tape("a run whose queue is busy for long is reconciled each hour", &busy)
            .at(40_000)
            .gets(&Input::Reconciled(Facts::Backlog(true)), known)
            .stores(|next| next.reconcile_at = Some(at(43_600))),
        tape("a run whose queue was busy and is not any more is sent again first", &busy)
            .at(240)
            .gets(&Input::Reconciled(Facts::Backlog(false)), known)
            .stores(|next| again(next, 300))
            .effect(send(0)),
        tape("a run whose message is lost is sent again", &queued())
            .at(60)
            .gets(&Input::Reconciled(Facts::Backlog(false)), known)
            .stores(|next| again(next, 120))
            .effect(send(0)),
        tape("a run sent again and still not taken is called by the wait loop, which knows why", &twice)
            .at(120)
            .gets(&Input::Reconciled(Facts::Backlog(false)), known)
            .stores(|next| {
                next.invoker = Invoker::WaitLoop { generation: 1, execution: None };
                next.reconcile_at = Some(at(120) + limits::LOOP_GRACE);
                next.reconcile_count = 0;
            })
            .effect(start_loop(120)),
        tape("a run that may not start any more expires where no message comes", &perishable())
            .at(60)
            .gets(&Input::Reconciled(Facts::Backlog(true)), known)
            .stores(|next| {
                end(next, FinalState::Expired, 60);
            }),
        tape("a run whose task was removed fails", &queued())
            .at(60)
            .gets(&Input::Reconciled(Facts::Backlog(false)), Task::Removed)
            .stores(|next| found_unknown(next, 60))
            .then(Work::PublishLifecycle),
    ]
}

fn wait_loop() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let renewed = |next: &mut RunRecord, generation, now| {
        next.invoker = Invoker::WaitLoop { generation, execution: None };
        next.reconcile_at = Some(at(now) + limits::LOOP_GRACE);
    };
    vec![
        tape("an execution that runs has first claim", &waiting())
            .at(60)
            .gets(&Input::Reconciled(Facts::Executing(true)), known)
            .stores(|next| again(next, 1_010)),
        tape("an execution that was lost is followed by another generation", &waiting())
            .at(60)
            .gets(&Input::Reconciled(Facts::Executing(false)), known)
            .stores(|next| renewed(next, 2, 60))
            .effect(start_loop(60)),
        tape("an execution lost before the first attempt is followed by another generation", &direct())
            .at(900)
            .gets(&Input::Reconciled(Facts::Executing(false)), known)
            .stores(|next| renewed(next, 2, 900))
            .effect(start_loop(900)),
        tape("a run between iterations whose task was removed fails", &waiting())
            .at(60)
            .gets(&Input::Reconciled(Facts::Executing(true)), Task::Removed)
            .stores(|next| found_unknown(next, 60))
            .effect(super::records::stop_loop)
            .then(Work::PublishLifecycle),
    ]
}

fn attempts() -> Vec<Case<RunRecord>> {
    let (policy, once) = (policy(), once());
    let known = Task::Known(&policy);
    let nothing = Input::Reconciled(Facts::Nothing);
    vec![
        tape("an attempt under a live lease is reconciled when the lease has ended", &running())
            .at(44)
            .gets(&nothing, known)
            .stores(|next| again(next, 104)),
        tape("an attempt under a live lease may end although its task was removed", &running())
            .at(44)
            .gets(&nothing, Task::Removed)
            .stores(|next| again(next, 104)),
        tape("an attempt under an ended lease is dead", &running())
            .at(60)
            .gets(&nothing, known)
            .stores(|next| {
                died(next, 30_000);
                retry(next, 60, crashed(&running(), NO_ANSWER));
                next.reconcile_at = Some(at(130));
            })
            .effect(send(10)),
        tape("an attempt of a wait loop under an ended lease is dead too", &running_in_loop())
            .at(150)
            .gets(&Input::Reconciled(Facts::Executing(true)), known)
            .stores(|next| {
                died(next, 31_000);
                retry(next, 150, crashed(&running_in_loop(), NO_ANSWER));
                next.reconcile_at = Some(at(160) + limits::LOOP_GRACE);
            }),
        tape("a dead last attempt fails the run", &running()).at(60).gets(&nothing, Task::Known(&once)).stores(
            |next| {
                died(next, 30_000);
                next.error = Some(crashed(&running(), NO_ANSWER));
                end(next, FinalState::Failed, 60);
            },
        ),
        tape("a dead attempt whose task was removed fails the run", &running())
            .at(60)
            .gets(&nothing, Task::Removed)
            .stores(|next| found_unknown(next, 60))
            .then(Work::PublishLifecycle),
    ]
}

fn over() -> Vec<Case<RunRecord>> {
    let hooks = hooks();
    let known = Task::Known(&hooks);
    let nothing = Input::Reconciled(Facts::Nothing);
    let taken = driven(&delegated(), 6, &Input::Delivered(delegated().purpose()), known);
    vec![
        tape("hooks that nothing runs are asked for again", &delegated())
            .at(25)
            .gets(&nothing, known)
            .stores(|next| again(next, 85))
            .effect(send(0)),
        tape("hooks whose lease has ended are asked for again", &with_hooks())
            .at(220)
            .gets(&nothing, known)
            .stores(|next| again(next, 280))
            .effect(send(0)),
        tape("hooks that run in the process of the end are left alone", &with_hooks())
            .at(49)
            .gets(&nothing, known)
            .stores(|next| again(next, 220)),
        tape("hooks that a message brought to their function are left alone while they run", &taken)
            .at(25)
            .gets(&nothing, known)
            .stores(|next| again(next, 216)),
        tape("hooks whose task was removed are given up", &delegated()).at(25).gets(&nothing, Task::Removed).stores(
            |next| {
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                end.hooks_pending = false;
                next.reconcile_at = None;
            },
        ),
        tape("hooks whose task was removed are given up even while they run", &with_hooks())
            .at(49)
            .gets(&nothing, Task::Removed)
            .stores(|next| {
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                (end.hooks_pending, end.hooks_lease) = (false, None);
                next.reconcile_at = None;
            }),
        tape("an ended run that nothing is left to repair of is reconciled no more", &completed())
            .at(60)
            .gets(&nothing, known)
            .stores(|next| next.reconcile_count = 1),
    ]
}
