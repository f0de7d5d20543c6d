//! The run's message arrives, or was never taken.

use dacapo_domain::{Input, Invoker, NewRun, Phase, Policy, RunRecord, Task, Work, run::FinalState};

use super::{
    records::{
        NO_ANSWER, aborting, completed, crashed, created, delegated, died, direct, end, hooks, hooks_lease, new,
        on_timer, once, other_attempt, paused, perishable, policy, queued, retry, running, running_in_loop, scheduled,
        send, start_loop, take, with_hooks,
    },
    tape::{Case, at, driven, s, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    let (policy, hooks, once) = (policy(), hooks(), once());
    let (known, with_end_hooks) = (Task::Known(&policy), Task::Known(&hooks));
    let delivered = |run: &RunRecord| Input::Delivered(run.purpose());
    let hasty = Policy { ttl: Some(s(60)), ..policy.clone() };
    let late_fire = created(NewRun { schedule: Some("hourly".to_owned()), ..new(-3_600) });
    let (shared, stands) = (Policy { batch: 2, ..policy.clone() }, paused(&running(), 10));
    let patient = created(NewRun { ttl: Some(s(90)), ..new(0) });
    let moved = driven(&queued(), 1, &Input::Rescheduled(at(2)), known);
    vec![
        tape("a due message takes the attempt", &queued())
            .at(5)
            .gets(&delivered(&queued()), known)
            .stores(|next| take(next, 5))
            .then(Work::CallHandler),
        tape("an early message of the near future waits in the queue", &scheduled())
            .at(3_000)
            .gets(&delivered(&scheduled()), known)
            .keeps()
            .effect(send(600)),
        tape("an early message of a farther future waits in a timer", &scheduled())
            .at(10)
            .gets(&delivered(&scheduled()), known)
            .keeps()
            .effect(on_timer),
        tape("a message of another attempt is dropped", &queued())
            .at(5)
            .gets(&Input::Delivered(other_attempt(&queued())), known)
            .keeps(),
        tape("a message from before the run was moved is dropped", &moved)
            .at(5)
            .gets(&delivered(&queued()), known)
            .keeps(),
        tape("a message of a run that its wait loop calls is dropped", &direct())
            .at(5)
            .gets(&delivered(&direct()), known)
            .keeps(),
        tape("a run that may not start any more expires", &perishable())
            .at(60)
            .gets(&delivered(&perishable()), known)
            .stores(|next| {
                end(next, FinalState::Expired, 60);
            }),
        tape("a run that started too late by its task's option expires", &queued())
            .at(60)
            .gets(&delivered(&queued()), Task::Known(&hasty))
            .stores(|next| {
                end(next, FinalState::Expired, 60);
            }),
        tape("a run that came due an hour ago by its schedule expires though it is new", &late_fire)
            .at(5)
            .gets(&delivered(&late_fire), Task::Known(&hasty))
            .stores(|next| {
                end(next, FinalState::Expired, 5);
            }),
        tape("a run whose start says how long it may wait doesn't ask its task", &patient)
            .at(61)
            .gets(&delivered(&patient), Task::Known(&hasty))
            .stores(|next| take(next, 61))
            .then(Work::CallHandler),
        tape("a run that may still start starts", &perishable())
            .at(59)
            .gets(&delivered(&perishable()), known)
            .stores(|next| take(next, 59))
            .then(Work::CallHandler),
        tape("the hooks of an expiry run in the function itself", &perishable())
            .at(60)
            .gets(&delivered(&perishable()), with_end_hooks)
            .stores(|next| {
                let end = end(next, FinalState::Expired, 60);
                (end.hooks_pending, end.hooks_lease) = (true, Some(hooks_lease(60)));
                next.reconcile_at = perishable().reconcile_at;
            })
            .then(Work::RunEndHooks),
        tape("a message under a live lease is dropped", &running()).at(44).gets(&delivered(&running()), known).keeps(),
        tape("a message under an ended lease finds the attempt dead", &running())
            .at(46)
            .gets(&delivered(&running()), known)
            .stores(|next| {
                died(next, 30_000);
                retry(next, 46, crashed(&running(), NO_ANSWER));
            })
            .effect(send(10)),
        tape("one that may have shared its process is made again at no cost, by a wait loop", &running())
            .at(46)
            .gets(&delivered(&running()), Task::Known(&shared))
            .stores(|next| {
                died(next, 30_000);
                next.phase = Phase::Queued;
                next.invoker = Invoker::WaitLoop { generation: 1, execution: None };
                next.logged.again = 1;
            })
            .effect(start_loop(46)),
        tape("one that may have shared its process and is paused is made again at no cost once it is resumed", &stands)
            .at(46)
            .gets(&delivered(&stands), Task::Known(&shared))
            .stores(|next| {
                died(next, 30_000);
                next.phase = Phase::Queued;
                next.logged.again = 1;
            }),
        tape("one that may have shared its process and was asked to end is aborted", &aborting())
            .at(46)
            .gets(&delivered(&aborting()), Task::Known(&shared))
            .stores(|next| {
                died(next, 30_000);
                end(next, FinalState::Aborted, 46).message = Some("enough".to_owned());
            }),
        tape("the last attempt found dead fails the run", &running())
            .at(46)
            .gets(&delivered(&running()), Task::Known(&once))
            .stores(|next| {
                died(next, 30_000);
                next.error = Some(crashed(&running(), NO_ANSWER));
                end(next, FinalState::Failed, 46);
            }),
        tape("an attempt found dead that was asked to end is aborted", &aborting())
            .at(46)
            .gets(&delivered(&aborting()), known)
            .stores(|next| {
                died(next, 30_000);
                end(next, FinalState::Aborted, 46).message = Some("enough".to_owned());
            }),
        tape("a message of another attempt finds none dead", &running())
            .at(46)
            .gets(&Input::Delivered(other_attempt(&running())), known)
            .keeps(),
        tape("a message finds no attempt dead that a wait loop called", &running_in_loop())
            .at(151)
            .gets(&delivered(&running_in_loop()), known)
            .keeps(),
        tape("the message of an ended run takes its hooks", &delegated())
            .at(6)
            .gets(&delivered(&delegated()), with_end_hooks)
            .stores(|next| {
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                end.hooks_lease = Some(hooks_lease(6));
            })
            .then(Work::RunEndHooks),
        tape("hooks whose lease has ended are taken again", &with_hooks())
            .at(200)
            .gets(&delivered(&with_hooks()), with_end_hooks)
            .stores(|next| {
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                end.hooks_lease = Some(hooks_lease(200));
            })
            .then(Work::RunEndHooks),
        tape("hooks that run are left alone", &with_hooks())
            .at(199)
            .gets(&delivered(&with_hooks()), with_end_hooks)
            .keeps(),
        tape("an ended run without hooks is left alone", &completed())
            .at(60)
            .gets(&delivered(&completed()), known)
            .keeps(),
        tape("a message never taken is sent afresh while its run waits for it", &queued())
            .at(90)
            .gets(&Input::Undelivered(queued().purpose()), known)
            .keeps()
            .effect(send(0)),
        tape("a message never taken is sent afresh while its attempt executes", &running())
            .at(30)
            .gets(&Input::Undelivered(running().purpose()), known)
            .keeps()
            .effect(send(0)),
        tape("a message never taken of another attempt is dropped", &queued())
            .at(90)
            .gets(&Input::Undelivered(other_attempt(&queued())), known)
            .keeps(),
        tape("a message never taken of a run that its wait loop calls is dropped", &direct())
            .at(90)
            .gets(&Input::Undelivered(direct().purpose()), known)
            .keeps(),
    ]
}
