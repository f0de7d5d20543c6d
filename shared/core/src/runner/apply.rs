//! Decide, store, decide again: how an event becomes a stored change.

use std::time::Duration;

use dacapo_domain::{Decision, Effect, Event, Id, LoopCall, Message, Policy, Run, RunMessage, decide, slug};
use jiff::Timestamp;

use crate::port::{Envelope, Payloads, PortError, PortErrorKind, PortResult, Ports, Saved, Stored};

/// What came of an event.
pub(crate) struct Applied {
    /// The run as it is stored now.
    pub run: Run,
    /// What the store gave with it, if anything was written or read.
    pub stored: Option<Box<Stored>>,
    /// What is to be done.
    pub effects: Vec<Effect>,
}

/// Decides what an event makes of a run and stores it; whoever loses the race decides again with what won.
///
/// A write is tried until the deadline: work that is done is not done again because a write was throttled.
/// `None` means that the record is gone.
pub(crate) async fn apply(
    ports: &Ports,
    seen: &Run,
    event: Event<'_>,
    policy: Option<&Policy>,
    deadline: Timestamp,
) -> PortResult<Option<Applied>> {
    let mut run = seen.clone();
    let mut stored = None;
    loop {
        let Decision { run: next, write, input, result, effects } =
            decide(&run, event.clone(), policy, &ports.clock.moment());
        if !write {
            return Ok(Some(Applied { run: next, stored, effects }));
        }
        let payloads = Payloads { input, result };
        match save(ports, &run, &next, &payloads, deadline).await? {
            Saved::Done(stored) => return Ok(Some(Applied { run: stored.run.clone(), stored: Some(stored), effects })),
            Saved::Lost(None) => return Ok(None),
            Saved::Lost(Some(current)) => {
                // A lost reply is not a lost race: the lease is ours if it bears the token of our write.
                let ours = next.lease.is_some_and(|lease| lease.token == next.version);
                if ours && current.run.lease.map(|lease| lease.token) == next.lease.map(|lease| lease.token) {
                    return Ok(Some(Applied { run: current.run.clone(), stored: Some(current), effects }));
                }
                run = current.run.clone();
                stored = Some(current);
            }
        }
    }
}

async fn save(ports: &Ports, seen: &Run, next: &Run, payloads: &Payloads, deadline: Timestamp) -> PortResult<Saved> {
    patiently(ports, deadline, || ports.store.save(seen, next, payloads)).await
}

/// Tries until the deadline what was throttled, or not answered.
pub(super) async fn patiently<T, F: Future<Output = PortResult<T>>>(
    ports: &Ports,
    deadline: Timestamp,
    mut attempt: impl FnMut() -> F,
) -> PortResult<T> {
    let mut pause = Duration::from_millis(100);
    loop {
        match attempt().await {
            Err(error) if is_worth_a_retry(&error) && ports.clock.now() + pause < deadline => {
                tracing::warn!(%error, "trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            reply => return reply,
        }
    }
}

fn is_worth_a_retry(error: &PortError) -> bool {
    matches!(error.kind(), PortErrorKind::Transient | PortErrorKind::Unreachable)
}

/// Does what a decision asks for, but what only the task's own process can do. What fails is said and left to
/// the conductor: the record is stored, so nothing is lost.
pub(crate) async fn perform(ports: &Ports, run: &Run, effects: &[Effect]) {
    for effect in effects {
        if let Err(error) = perform_one(ports, run, effect).await {
            tracing::warn!(run = %run.id, ?effect, %error, "left to the conductor");
        }
    }
}

async fn perform_one(ports: &Ports, run: &Run, effect: &Effect) -> PortResult<()> {
    let function = slug(&run.name);
    match effect {
        Effect::Handle | Effect::Settle => Ok(()),
        Effect::Send(delay) => {
            let message = Message::Run(RunMessage::about(run));
            ports.queues.send(&function, &Envelope { message, delay: *delay }).await
        }
        Effect::Schedule(at) => {
            let message = Message::Run(RunMessage::ids(run));
            ports.timers.put(&timer_name(run.id), *at, &function, &message).await
        }
        Effect::Unschedule => ports.timers.delete(&timer_name(run.id)).await,
        Effect::StartLoop => {
            let call = LoopCall::first(run, ports.clock.now());
            ports.loops.start(&run.execution_name(), &function, &call, run.due_at).await
        }
        Effect::StopLoop => ports.loops.stop(&run.execution_name(), "the run has ended").await,
    }
}

fn timer_name(id: Id) -> String {
    format!("run-{id}")
}
