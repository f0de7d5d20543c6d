//! The wait loop calls, is answered, reports a crash.

use dacapo_domain::{
    Input, Invoker, NewRun, Phase, Policy, RunRecord, Task, WaitLoopCall, Work, limits,
    run::{FinalState, Throttled},
};

use super::{
    records::{
        NO_ANSWER, call, crashed, delegated, died, direct, end, hooks, hooks_lease, new, once, other_generation,
        policy, queued, retry, running, running_in_loop, take, waiting,
    },
    tape::{Case, at, context, driven, s, tape},
};

pub fn cases() -> Vec<Case<RunRecord>> {
    [called(), answered(), reported()].into_iter().flatten().collect()
}

fn called() -> Vec<Case<RunRecord>> {
    let (policy, hooks, once) = (policy(), hooks(), once());
    let shared = Policy { batch: 10, ..policy.clone() };
    let tight = Policy { max_duration: Some(s(31)), ..policy.clone() };
    let exhausted = RunRecord { exhausted_count: 3, ..waiting() };
    let known = Task::Known(&policy);
    let calls = |run: &RunRecord| Input::WaitLoopCalled(call(run));
    let late =
        RunRecord::create(NewRun { ttl: Some(s(60)), execution: Some("by-hand".to_owned()), ..new(0) }, &context(0));
    let moved = driven(&direct(), 1, &Input::Rescheduled(at(100)), known);
    vec![
        tape("a call takes the first attempt of a run that was started by hand", &direct())
            .at(5)
            .gets(&calls(&direct()), known)
            .stores(|next| {
                take(next, 5);
                next.reconcile_at = Some(at(900));
            })
            .then(Work::CallHandler),
        tape(
            "a call of a run that may not start any more lets it expire, and its answer ends the execution",
            &late.record,
        )
        .at(60)
        .gets(&calls(&late.record), known)
        .stores(|next| {
            end(next, FinalState::Expired, 60);
        }),
        tape("a call before the time of a run that was moved changes nothing", &moved)
            .at(99)
            .gets(&calls(&moved), known)
            .keeps(),
        tape("a call of a run that its queue calls changes nothing", &queued())
            .at(5)
            .gets(&calls(&queued()), known)
            .keeps(),
        tape("a call takes the attempt of the iteration that is due", &waiting())
            .at(110)
            .gets(&calls(&waiting()), known)
            .stores(|next| take(next, 110))
            .then(Work::CallHandler),
        tape("a call before the wait is over changes nothing", &waiting())
            .at(109)
            .gets(&calls(&waiting()), known)
            .keeps(),
        tape("an attempt that is taken ends the row of exhausted executions", &exhausted)
            .at(110)
            .gets(&calls(&exhausted), known)
            .stores(|next| {
                next.exhausted_count = 0;
                take(next, 110);
            })
            .then(Work::CallHandler),
        tape("a call of another generation changes nothing", &waiting())
            .at(110)
            .gets(&Input::WaitLoopCalled(other_generation(&waiting())), known)
            .keeps(),
        tape("a call under a live lease changes nothing", &running_in_loop())
            .at(149)
            .gets(&calls(&running_in_loop()), known)
            .keeps(),
        tape("a call under an ended lease finds the attempt dead", &running_in_loop())
            .at(150)
            .gets(&calls(&running_in_loop()), known)
            .stores(|next| {
                died(next, 31_000);
                retry(next, 150, crashed(&running_in_loop(), NO_ANSWER));
            }),
        tape("a call of one that has its process for itself finds it dead at its own cost", &running_in_loop())
            .at(150)
            .gets(&calls(&running_in_loop()), Task::Known(&shared))
            .stores(|next| {
                died(next, 31_000);
                retry(next, 150, crashed(&running_in_loop(), NO_ANSWER));
            }),
        tape("a crash counts at most half of what `max_duration` leaves", &running_in_loop())
            .at(150)
            .gets(&calls(&running_in_loop()), Task::Known(&tight))
            .stores(|next| {
                died(next, 1_000 + (31_000 - 1_000) / 2);
                retry(next, 150, crashed(&running_in_loop(), NO_ANSWER));
            }),
        tape("a call under the ended lease of the last attempt fails the run", &running_in_loop())
            .at(150)
            .gets(&calls(&running_in_loop()), Task::Known(&once))
            .stores(|next| {
                died(next, 31_000);
                next.error = Some(crashed(&running_in_loop(), NO_ANSWER));
                end(next, FinalState::Failed, 150);
            }),
        tape("a call of another generation finds no attempt dead", &running_in_loop())
            .at(150)
            .gets(&Input::WaitLoopCalled(other_generation(&running_in_loop())), known)
            .keeps(),
        tape("a call of an ended run takes its hooks", &delegated())
            .at(6)
            .gets(&calls(&delegated()), Task::Known(&hooks))
            .stores(|next| {
                let Phase::Ended(end) = &mut next.phase else { unreachable!() };
                end.hooks_lease = Some(hooks_lease(6));
            })
            .then(Work::RunEndHooks),
    ]
}

fn answered() -> Vec<Case<RunRecord>> {
    let policy = policy();
    let known = Task::Known(&policy);
    let exhausted = |run: &RunRecord| WaitLoopCall { round: limits::LOOP_ROUNDS, ..call(run) };
    let old = WaitLoopCall { started: at(109) - limits::LOOP_LIFE, ..call(&waiting()) };
    // Two rounds of nine events, and three for each try.
    let retried = |tries| WaitLoopCall { round: 2, tries, ..call(&waiting()) };
    let throttled = WaitLoopCall { throttled: Some(Throttled::default()), ..call(&waiting()) };
    let renewed = |next: &mut RunRecord, generation| {
        next.invoker = Invoker::WaitLoop { generation, execution: None };
    };
    vec![
        tape("an execution out of rounds gets a successor before a first attempt", &direct())
            .at(5)
            .gets(&Input::WaitLoopAnswered(exhausted(&direct())), known)
            .stores(|next| renewed(next, 2)),
        tape("an execution out of rounds gets a successor between iterations", &waiting())
            .at(20)
            .gets(&Input::WaitLoopAnswered(exhausted(&waiting())), known)
            .stores(|next| renewed(next, 2)),
        tape("an execution whose history is full of retries gets a successor", &waiting())
            .at(20)
            .gets(&Input::WaitLoopAnswered(retried(6_661)), known)
            .stores(|next| renewed(next, 2)),
        tape("an execution whose history has room for more retries gets none", &waiting())
            .at(20)
            .gets(&Input::WaitLoopAnswered(retried(6_660)), known)
            .keeps(),
        tape("an execution whose call stayed throttled for long gets a successor", &waiting())
            .at(20)
            .gets(&Input::WaitLoopAnswered(throttled), known)
            .stores(|next| renewed(next, 2)),
        tape("an execution that would outlive its year gets a successor", &waiting())
            .at(20)
            .gets(&Input::WaitLoopAnswered(old), Task::Removed)
            .stores(|next| renewed(next, 2)),
        tape("an execution with rounds left gets none", &waiting())
            .at(20)
            .gets(&Input::WaitLoopAnswered(call(&waiting())), known)
            .keeps(),
        tape("an execution of another generation gets none", &waiting())
            .at(20)
            .gets(&Input::WaitLoopAnswered(WaitLoopCall { generation: 2, ..exhausted(&waiting()) }), known)
            .keeps(),
    ]
}

fn reported() -> Vec<Case<RunRecord>> {
    let (policy, once) = (policy(), once());
    let known = Task::Known(&policy);
    let why = || "Runtime.OutOfMemory".to_owned();
    let report = |run: &RunRecord| Input::WaitLoopCrashed(call(run), why());
    let of = |call: WaitLoopCall| Input::WaitLoopCrashed(call, why());
    vec![
        tape("a crash before the attempt was taken counts as one", &direct())
            .at(5)
            .gets(&report(&direct()), known)
            .stores(|next| retry(next, 5, crashed(&direct(), "Runtime.OutOfMemory"))),
        tape("a crash of the last attempt fails the run, and its answer ends the execution", &direct())
            .at(5)
            .gets(&report(&direct()), Task::Known(&once))
            .stores(|next| {
                next.error = Some(crashed(&direct(), "Runtime.OutOfMemory"));
                end(next, FinalState::Failed, 5);
            }),
        tape("a crash of another attempt is no news", &direct())
            .at(5)
            .gets(&of(WaitLoopCall { attempt: 2, ..call(&direct()) }), known)
            .keeps(),
        tape("a crash of another iteration is no news", &waiting())
            .at(110)
            .gets(&of(WaitLoopCall { iteration: 1, ..call(&waiting()) }), known)
            .keeps(),
        tape("a crash of another generation is no news", &waiting())
            .at(110)
            .gets(&of(other_generation(&waiting())), known)
            .keeps(),
        tape("a crash before the wait is over is no news", &waiting()).at(109).gets(&report(&waiting()), known).keeps(),
        tape("a crash when an iteration is due counts as an attempt at it", &waiting())
            .at(110)
            .gets(&report(&waiting()), known)
            .stores(|next| retry(next, 110, crashed(&waiting(), "Runtime.OutOfMemory"))),
        tape("a crash at the last attempt of an iteration fails the run", &waiting())
            .at(110)
            .gets(&report(&waiting()), Task::Known(&once))
            .stores(|next| {
                next.error = Some(crashed(&waiting(), "Runtime.OutOfMemory"));
                end(next, FinalState::Failed, 110);
            }),
        tape("a crash under a live lease is no news", &running_in_loop())
            .at(149)
            .gets(&report(&running_in_loop()), known)
            .keeps(),
        tape("a crash under an ended lease ends the attempt", &running_in_loop())
            .at(150)
            .gets(&report(&running_in_loop()), known)
            .stores(|next| {
                died(next, 31_000);
                retry(next, 150, crashed(&running_in_loop(), "Runtime.OutOfMemory"));
            }),
        tape("a crash under the ended lease of the last attempt fails the run", &running_in_loop())
            .at(150)
            .gets(&report(&running_in_loop()), Task::Known(&once))
            .stores(|next| {
                died(next, 31_000);
                next.error = Some(crashed(&running_in_loop(), "Runtime.OutOfMemory"));
                end(next, FinalState::Failed, 150);
            }),
        tape("a crash is no news to a run that its queue calls", &running())
            .at(46)
            .gets(&report(&running()), known)
            .keeps(),
    ]
}
