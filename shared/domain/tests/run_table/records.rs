//! Runs in each phase, driven there by the machine, and the changes that are expected of them.

use dacapo_domain::{
    AttemptEnd, AttemptError, AttemptOutcome, Cascade, Child, Effect, Input, Lease, Message, NewRun, Phase, Policy,
    PoolId, Purpose, RecordedError, Retry, RunMessage, RunRecord, Signal, Steps, Task, Trigger, Update, Version, Wait,
    WaitLoopCall, limits,
    run::{End, ExecutionEnd, Facts, FinalState, InputName, Progress},
};

use super::debounce;
use crate::tape::{RANDOM, Taped, at, context, driven, json, s};

impl Taped for RunRecord {
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn phase_name(&self) -> String {
        format!("{:?}", self.phase.name())
    }

    fn input_name(input: &Input) -> String {
        format!("{:?}", input.name())
    }
}

/// Three attempts, 10 s apart; 30 s for each, and so a lease of 40 s; no hooks.
pub fn policy() -> Policy {
    Policy { retry: Retry::attempts(3).min(s(10)).factor(1.0).jitter(false), ..Policy::default() }
}

pub fn hooks() -> Policy {
    Policy { has_end_hooks: true, ..policy() }
}

pub fn once() -> Policy {
    Policy { retry: Retry::never(), ..policy() }
}

pub fn new(due: i64) -> NewRun {
    NewRun::at(dacapo_domain::Id::new(at(0), 7), "import airports", at(due), Trigger::Run)
}

pub fn created(new: NewRun) -> RunRecord {
    RunRecord::create(new, &context(0)).record
}

/// Due at once, and reconciled at 60.
pub fn queued() -> RunRecord {
    created(new(0))
}

/// Due in an hour, and so on a timer.
pub fn scheduled() -> RunRecord {
    created(new(3_600))
}

/// To be started within a minute.
pub fn perishable() -> RunRecord {
    created(NewRun { ttl: Some(s(60)), ..new(0) })
}

/// Called by a wait loop from its beginning.
pub fn direct() -> RunRecord {
    created(NewRun { execution: Some("by-hand".to_owned()), ..new(0) })
}

/// Taken at 5: its lease ends at 45.
pub fn running() -> RunRecord {
    let queued = queued();
    driven(&queued, 5, &Input::Delivered(queued.purpose()), Task::Known(&policy()))
}

/// Asked at 8 to end.
pub fn aborting() -> RunRecord {
    driven(&running(), 8, &Input::AbortRequested("enough".to_owned()), Task::Known(&policy()))
}

/// Continued at 10 after 100 s: iteration 2 is due at 110.
pub fn waiting() -> RunRecord {
    let input = ended_with(&running(), AttemptOutcome::Continue { input: json("2"), wait: Wait::After(s(100)) });
    driven(&running(), 10, &input, Task::Known(&policy()))
}

pub fn token(until: Option<i64>) -> Wait {
    Wait::Token { run: new(0).id, name: "approve".to_owned(), until: until.map(at) }
}

pub fn awaited() -> Vec<Child> {
    let id = "01KJN83200000000000000000C".parse().unwrap();
    vec![Child { task: "check".to_owned(), id, started_by: Some(queued().id) }]
}

/// An abort that was asked for then is on its way to the children.
pub fn cascades(next: &mut RunRecord, since: i64) {
    next.cascade = Some(Cascade { since: at(since), is_done: false });
    let due = at(since + 20);
    next.reconcile_at = Some(next.reconcile_at.map_or(due, |at| at.min(due)));
}

pub fn told() -> Signal {
    Signal::Token { name: "approve".to_owned() }
}

/// Waits since 10 for a token, until a time.
pub fn awaiting(until: Option<i64>) -> RunRecord {
    let input = ended_with(&running(), AttemptOutcome::Continue { input: json("2"), wait: token(until) });
    driven(&running(), 10, &input, Task::Known(&policy()))
}

/// Waits since 120 for children; a wait loop called it before.
pub fn awaiting_children() -> RunRecord {
    let outcome = AttemptOutcome::Continue { input: json("3"), wait: Wait::Children(awaited()) };
    driven(&running_in_loop(), 120, &ended_with(&running_in_loop(), outcome), Task::Known(&policy()))
}

/// Taken by its wait loop at 110: its lease ends at 150.
pub fn running_in_loop() -> RunRecord {
    driven(&waiting(), 110, &Input::WaitLoopCalled(call(&waiting())), Task::Known(&policy()))
}

/// Failed at 20 in its first attempt: the second is due at 30.
pub fn between_attempts() -> RunRecord {
    let failed = ended_with(&running(), AttemptOutcome::Failed(not_yet()));
    driven(&running(), 20, &failed, Task::Known(&policy()))
}

/// Paused by a client then.
pub fn paused(run: &RunRecord, seconds: i64) -> RunRecord {
    driven(run, seconds, &Input::PauseRequested, Task::Known(&policy()))
}

/// Paused at 45, when its second and last attempt failed.
pub fn exhausted() -> RunRecord {
    let twice = Policy { retry: Retry::attempts(2), pauses_when_exhausted: true, ..policy() };
    let again = driven(&between_attempts(), 40, &Input::Delivered(between_attempts().purpose()), Task::Known(&twice));
    driven(&again, 45, &ended_with(&again, AttemptOutcome::Failed(not_yet())), Task::Known(&twice))
}

pub fn completed() -> RunRecord {
    driven(&running(), 10, &done(&running()), Task::Known(&policy()))
}

/// Completed at 10; its hooks run in the same process until 200.
pub fn with_hooks() -> RunRecord {
    driven(&running(), 10, &done(&running()), Task::Known(&hooks()))
}

/// Aborted at 5 by a client; a message asks its function to run the hooks.
pub fn delegated() -> RunRecord {
    driven(&queued(), 5, &Input::AbortRequested("enough".to_owned()), Task::Known(&hooks()))
}

pub fn pool() -> PoolId {
    PoolId::of_queue("mail")
}

/// Finds no permit in the queue's pool, and holds that of its own customer.
pub fn parked_at(run: &RunRecord) -> Input {
    Input::Parked { holder: run.holder(), pool: pool(), is_held: false, permits: vec![customer()] }
}

pub fn customer() -> PoolId {
    PoolId { key: Some("ada".to_owned()), ..pool() }
}

/// Parked at 5.
pub fn parked(run: &RunRecord) -> RunRecord {
    driven(run, 5, &parked_at(run), Task::Known(&policy()))
}

/// Taken at 5 with two permits.
pub fn permitted() -> RunRecord {
    let call = Input::Permitted(Box::new(Input::Delivered(queued().purpose())), vec![customer(), pool()]);
    driven(&queued(), 5, &call, Task::Known(&policy()))
}

/// A record of each phase, in each of its ways.
pub fn all() -> Vec<RunRecord> {
    let queued = [queued(), scheduled(), perishable(), direct(), between_attempts(), debounce::debounced()];
    let parked = [parked(&queued[0]), parked(&perishable())];
    let running = [running(), aborting(), running_in_loop(), permitted()];
    let waiting = [waiting(), awaiting(None), awaiting(Some(70)), awaiting(Some(7_200)), awaiting_children()];
    let paused = [paused(&queued[0], 3), paused(&running[0], 8), paused(&waiting[0], 20), exhausted()];
    let ended = [completed(), with_hooks(), delegated()];
    queued.into_iter().chain(parked).chain(running).chain(waiting).chain(paused).chain(ended).collect()
}

pub fn call(run: &RunRecord) -> WaitLoopCall {
    WaitLoopCall::first(run, at(0))
}

pub fn other_generation(run: &RunRecord) -> WaitLoopCall {
    WaitLoopCall { generation: run.invoker.generation() + 1, ..call(run) }
}

pub fn other_attempt(run: &RunRecord) -> Purpose {
    Purpose { attempt: run.attempt + 1, ..run.purpose() }
}

pub fn not_yet() -> AttemptError {
    AttemptError::retryable("ERROR", "not yet")
}

/// The outcome of the attempt that holds the lease, after a second in the handler.
pub fn ended_with(run: &RunRecord, outcome: AttemptOutcome) -> Input {
    let token = run.lease().map_or(Version(0), |lease| lease.token);
    Input::AttemptEnded(AttemptEnd::new(token, outcome, s(1)))
}

pub fn done(run: &RunRecord) -> Input {
    ended_with(run, AttemptOutcome::Done { result: Ok(json("42")), message: None })
}

/// An input of each name, for cells that ignore it.
pub fn sample(name: InputName, run: &RunRecord) -> Input {
    let token = run.lease().map_or(Version(0), |lease| lease.token);
    match name {
        InputName::Delivered => Input::Delivered(run.purpose()),
        InputName::Undelivered => Input::Undelivered(run.purpose()),
        InputName::WaitLoopCalled => Input::WaitLoopCalled(call(run)),
        InputName::WaitLoopAnswered => Input::WaitLoopAnswered(call(run)),
        InputName::WaitLoopCrashed => Input::WaitLoopCrashed(call(run), "out of memory".to_owned()),
        InputName::ExecutionEnded => Input::ExecutionEnded(run.invoker.generation(), ExecutionEnd::Stopped),
        InputName::Parked => parked_at(run),
        InputName::AttemptEnded => done(run),
        InputName::Progressed => Input::Progressed(token, Progress { message: "half".to_owned(), fraction: 0.5 }),
        InputName::Extended => Input::Extended(token, s(60)),
        InputName::Signalled => Input::Signalled(told()),
        InputName::Needed => Input::Needed(at(5_000_000)),
        InputName::ChildrenAborted => Input::ChildrenAborted,
        InputName::Updated => Input::Updated(token, Update { tags: Some(vec!["a".to_owned()]), ..Update::default() }),
        InputName::AbortRequested => Input::AbortRequested("enough".to_owned()),
        InputName::PauseRequested => Input::PauseRequested,
        InputName::ResumeRequested => Input::ResumeRequested,
        InputName::Debounced => debounce::call(100_060),
        InputName::Rescheduled => Input::Rescheduled(at(100_060)),
        InputName::Reconciled => Input::Reconciled(Facts::Nothing),
        InputName::EndHooksDone => Input::EndHooksDone { published: true },
        InputName::TaskRemoved => Input::TaskRemoved,
    }
}

/// The lease that a case's decision takes.
pub fn lease(since: i64) -> Lease {
    Lease { token: Version(RANDOM), since: at(since), until: at(since + 40) }
}

/// Six hooks, each under the limit of an attempt.
pub fn hooks_lease(since: i64) -> Lease {
    Lease { until: at(since + 190), ..lease(since) }
}

pub fn take(run: &mut RunRecord, now: i64) {
    run.phase = Phase::Running { lease: lease(now), abort: None };
    run.started_at = run.started_at.or(Some(at(now)));
}

pub fn end(run: &mut RunRecord, state: FinalState, now: i64) -> &mut End {
    run.expires_at_s = Some((at(now) + limits::HISTORY).as_second() + 1);
    run.reconcile_at = run.pending_cascade().map(|cascade| cascade.since + s(20));
    run.reconcile_count = 0;
    let end = End { state, at: at(now), message: None, result_left_out: None, hooks_pending: false, hooks_lease: None };
    run.phase = Phase::Ended(end);
    let Phase::Ended(end) = &mut run.phase else { unreachable!() };
    end
}

/// The next attempt, 10 s later.
pub fn retry(run: &mut RunRecord, now: i64, error: RecordedError) {
    run.phase = Phase::Queued;
    run.attempt += 1;
    run.due_at = at(now + 10);
    run.error = Some(error);
}

pub fn crashed(run: &RunRecord, cause: &str) -> RecordedError {
    RecordedError::new("CRASHED", format!("attempt {} of iteration {} crashed: {cause}", run.attempt, run.iteration))
}

/// The process of the attempt died: its handler counts for as long, and its steps are not counted.
pub fn died(run: &mut RunRecord, handler_ms: u64) {
    let since = run.lease().unwrap().since;
    run.handler_ms = handler_ms;
    run.steps = Steps { are_uncounted: true, ..steps_since(0, since.as_second() - at(0).as_second()) };
}

/// So many steps, of an attempt that was taken then: they expire two days after the history of a run that ends then.
pub fn steps_since(count: u32, taken: i64) -> Steps {
    Steps { count, expire_at_s: (at(taken) + limits::HISTORY).as_second() + 2 * 86_400, ..Steps::default() }
}

pub const NO_ANSWER: &str = "the process ended without an answer";

/// Sends the message about the run as it is stored.
pub fn send(delay: u64) -> impl FnOnce(&RunRecord) -> Effect {
    move |run| {
        let message = Message::Run(RunMessage::about(run)).to_json();
        Effect::Send { to: "import-airports".to_owned(), message, delay: s(delay) }
    }
}

/// Lets the run's timer send its ids when it is due.
pub fn on_timer(run: &RunRecord) -> Effect {
    let message = Message::Run(RunMessage::ids(run)).to_json();
    Effect::SendAt { timer: format!("run-{}", run.id), to: "import-airports".to_owned(), message, at: run.due_at }
}

pub fn cancel_timer(run: &RunRecord) -> Effect {
    Effect::CancelTimer { timer: format!("run-{}", run.id) }
}

pub fn start_loop(now: i64) -> impl FnOnce(&RunRecord) -> Effect {
    move |run| Effect::StartWaitLoop {
        execution: format!("{}-{}", run.id, run.invoker.generation()),
        call: WaitLoopCall::first(run, at(now)),
        until: run.due_at,
    }
}

pub fn stop_loop(run: &RunRecord) -> Effect {
    Effect::StopWaitLoop { execution: run.execution_name(), cause: "the run has ended".to_owned() }
}
