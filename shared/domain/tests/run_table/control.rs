//! A client ends or moves a run; its hooks have run; its task was removed.

use dacapo_domain::{
    Input, Invoker, LifecycleEvent, Phase, RecordedError, RunRecord, Task, Work, limits, run::FinalState,
};

use super::{
    records::{
        NO_ANSWER, aborting, between_attempts, call, cancel_timer, cascades, completed, delegated, died, direct, end,
        hooks, hooks_lease, on_timer, perishable, policy, queued, running, running_in_loop, scheduled, send,
        start_loop, stop_loop, waiting, with_hooks,
    },
    tape::{Case, at, driven, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    [aborts(), spreads(), moves(), keeps(), hooks_done(), removed()].into_iter().flatten().collect()
}

fn aborts() -> Vec<Case<RunRecord>> {
    let (policy, hooks) = (policy(), hooks());
    let known = Task::Known(&policy);
    let abort = Input::AbortRequested("enough".to_owned());
    let aborted = |next: &mut RunRecord, now| end(next, FinalState::Aborted, now).message = Some("enough".to_owned());
    vec![
        tape("a run that was not taken ends at once", &queued())
            .at(5)
            .gets(&abort, known)
            .stores(|next| aborted(next, 5)),
        tape("a run on a timer ends with its timer", &scheduled())
            .at(5)
            .gets(&abort, known)
            .stores(|next| aborted(next, 5))
            .effect(cancel_timer),
        tape("a run that its wait loop calls ends with its execution", &direct())
            .at(5)
            .gets(&abort, known)
            .stores(|next| aborted(next, 5))
            .effect(stop_loop),
        tape("a run between iterations ends with its execution", &waiting())
            .at(20)
            .gets(&abort, known)
            .stores(|next| {
                aborted(next, 20);
                cascades(next, 20);
            })
            .effect(stop_loop),
        tape("a run with hooks ends with a message that asks its function to run them", &scheduled())
            .at(5)
            .gets(&abort, Task::Known(&hooks))
            .stores(|next| {
                aborted(next, 5);
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                end.hooks_pending = true;
                next.reconcile_at = Some(at(25));
            })
            .effect(cancel_timer)
            .effect(send(0)),
        tape("an attempt that executes is told of an abort", &running()).at(8).gets(&abort, known).stores(|next| {
            let Phase::Running { abort, .. } = &mut next.phase else { unreachable!() };
            *abort = Some("enough".to_owned());
            cascades(next, 8);
        }),
        tape("a second abort leaves the first one's message", &aborting())
            .at(9)
            .gets(&Input::AbortRequested("now".to_owned()), known)
            .keeps(),
    ]
}

fn spreads() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let done = |next: &mut RunRecord| next.cascade.as_mut().unwrap().is_done = true;
    let aborted = driven(&waiting(), 20, &Input::AbortRequested("enough".to_owned()), known);
    let spread = driven(&aborted, 40, &Input::ChildrenAborted, known);
    vec![
        tape("an abort that has reached the children of an ended run leaves nothing to repair", &aborted)
            .at(40)
            .gets(&Input::ChildrenAborted, Task::Removed)
            .stores(|next| {
                done(next);
                next.reconcile_at = None;
            }),
        tape("an abort that has reached the children of an attempt that executes leaves its lease", &aborting())
            .at(28)
            .gets(&Input::ChildrenAborted, known)
            .stores(|next| {
                done(next);
                next.reconcile_at = Some(at(65));
            }),
        tape("an abort is spread once more, since an index may not have had all children", &aborted)
            .at(39)
            .gets(&Input::ChildrenAborted, known)
            .keeps(),
        tape("an abort that has reached the children stays so", &spread)
            .at(60)
            .gets(&Input::ChildrenAborted, known)
            .keeps(),
    ]
}

fn moves() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let moved = |next: &mut RunRecord, due| {
        next.revision = 1;
        (next.due_at, next.scheduled_at) = (at(due), Some(at(due)));
    };
    let crash = Input::WaitLoopCrashed(call(&direct()), NO_ANSWER.to_owned());
    let never_taken = driven(&direct(), 0, &crash, known);
    vec![
        tape("a run is moved to a near time by a message", &queued())
            .at(5)
            .gets(&Input::Rescheduled(at(305)), known)
            .stores(|next| moved(next, 305))
            .effect(send(300)),
        tape("a run is moved to a far time by its timer", &scheduled())
            .at(5)
            .gets(&Input::Rescheduled(at(7_200)), known)
            .stores(|next| moved(next, 7_200))
            .effect(on_timer),
        tape("a run moved from a far to a near time loses its timer", &scheduled())
            .at(5)
            .gets(&Input::Rescheduled(at(65)), known)
            .stores(|next| {
                moved(next, 65);
                next.reconcile_at = Some(at(125));
            })
            .effect(send(60))
            .effect(cancel_timer),
        tape("a run moved into the past is due at once", &scheduled())
            .at(5)
            .gets(&Input::Rescheduled(at(-100)), known)
            .stores(|next| {
                moved(next, 5);
                next.reconcile_at = Some(at(65));
            })
            .effect(send(0))
            .effect(cancel_timer),
        tape("the last time to start moves along", &perishable())
            .at(5)
            .gets(&Input::Rescheduled(at(305)), known)
            .stores(|next| {
                moved(next, 305);
                next.start_by = Some(at(365));
            })
            .effect(send(300)),
        tape("a run that its wait loop calls is moved without a message", &direct())
            .at(5)
            .gets(&Input::Rescheduled(at(305)), known)
            .stores(|next| moved(next, 305)),
        tape("a run that its wait loop calls is moved to an earlier time by another one", &never_taken)
            .at(5)
            .gets(&Input::Rescheduled(at(6)), known)
            .stores(|next| {
                moved(next, 6);
                next.invoker = Invoker::WaitLoop { generation: 2, execution: None };
            })
            .effect(start_loop(5)),
        tape("a run between two attempts has started and stays", &between_attempts())
            .at(25)
            .gets(&Input::Rescheduled(at(305)), known)
            .keeps(),
    ]
}

fn keeps() -> Vec<Case<RunRecord>> {
    let known = Task::Removed;
    vec![
        tape("the record of an ended run that is needed is kept longer", &completed())
            .at(12)
            .gets(&Input::Needed(at(5_000_000)), known)
            .stores(|next| next.expires_at_s = Some(at(5_000_001).as_second())),
        tape("the record of an ended run that is kept as long as it is needed stays", &completed())
            .at(12)
            .gets(&Input::Needed(at(13)), known)
            .keeps(),
    ]
}

fn hooks_done() -> Vec<Case<RunRecord>> {
    let hooks = hooks();
    let settled = |next: &mut RunRecord| {
        let Phase::Ended(end) = &mut next.phase else { unreachable!() };
        (end.hooks_pending, end.hooks_lease) = (false, None);
        next.reconcile_at = None;
    };
    vec![
        tape("hooks that have run leave nothing to repair", &with_hooks())
            .at(12)
            .gets(&Input::EndHooksDone { published: true }, Task::Known(&hooks))
            .stores(settled),
        tape("hooks of a task that was removed meanwhile have run all the same", &with_hooks())
            .at(12)
            .gets(&Input::EndHooksDone { published: true }, Task::Removed)
            .stores(settled),
        tape("hooks that have run already stay so", &completed())
            .at(12)
            .gets(&Input::EndHooksDone { published: true }, Task::Known(&hooks))
            .keeps(),
        tape("hooks of a task that was removed are given up", &delegated())
            .at(30)
            .gets(&Input::TaskRemoved, Task::Removed)
            .stores(settled),
        tape("an ended run without hooks stays when its task is removed", &completed())
            .at(30)
            .gets(&Input::TaskRemoved, Task::Removed)
            .keeps(),
    ]
}

pub fn unknown(next: &mut RunRecord, now: i64) {
    if next.lease().is_some() {
        died(next, next.handler_ms);
    }
    let message = "no function has the task \"import airports\" any more; its hooks did not run";
    next.error = Some(RecordedError::new("UNKNOWN_TASK", message));
    let (former, wanted) = (next.reconcile_at, at(now + 190) + limits::LEASE_GRACE);
    end(next, FinalState::Failed, now).hooks_lease = Some(hooks_lease(now));
    next.unpublished = [LifecycleEvent::Failed].into();
    next.reconcile_at = Some(former.map_or(wanted, |former| former.min(wanted)));
}

/// The same found by the conductor, which sets the time to reconcile it anew.
pub fn found_unknown(next: &mut RunRecord, now: i64) {
    next.reconcile_at = None;
    unknown(next, now);
}

fn removed() -> Vec<Case<RunRecord>> {
    let gone = |run: RunRecord, name, now| tape(name, &run).at(now).gets(&Input::TaskRemoved, Task::Removed);
    vec![
        gone(queued(), "a run that was not taken fails when its task is removed", 5)
            .stores(|next| unknown(next, 5))
            .then(Work::PublishLifecycle),
        gone(waiting(), "a run between iterations fails and stops its execution when its task is removed", 20)
            .stores(|next| unknown(next, 20))
            .effect(stop_loop)
            .then(Work::PublishLifecycle),
        gone(running(), "an attempt that executes may end although its task is removed", 44).keeps(),
        gone(running_in_loop(), "a dead attempt's run fails when its task is removed", 150)
            .stores(|next| unknown(next, 150))
            .then(Work::PublishLifecycle),
    ]
}
