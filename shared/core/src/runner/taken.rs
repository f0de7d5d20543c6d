//! A run's message, taken for its function, and the end of the attempt that follows: both are committed by the function
//! itself, or by the engine that delivers the message.

use dacapo_domain::{AttemptEnd, Input, Payloads, Policy, RunMessage, RunRecord, Task, Work};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    commit::{Committed, commit_call, commit_run, load, retry_until},
    port::{PortResult, Ports},
    queues::Gate,
};

/// A run whose message was taken, with what its function has to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// The record as it is stored now.
    pub run: RunRecord,
    /// The payloads, as far as they are stored with it.
    pub payloads: Payloads,
    /// The work.
    pub work: Work,
}

/// An attempt that has ended, and what it is committed with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndedAttempt {
    /// The record as the attempt saw it last.
    pub run: RunRecord,
    /// The end.
    pub end: AttemptEnd,
    /// The policy of the task whose code made the attempt.
    pub policy: Policy,
}

impl Taken {
    /// The work that is left for a run; `None` where that is nothing.
    fn of(committed: Option<Committed<RunRecord>>) -> Option<Self> {
        let Committed { record, payloads, work, .. } = committed?;
        Some(Self { run: record, payloads, work: work? })
    }
}

/// Commits that a run's message has arrived at its function. `None` where that gives the function nothing to do: the
/// message was early, late, or not meant for the run as it is now.
///
/// The lease of an attempt begins here: its function is to be there, and to get this at once. Where attempts are limited
/// by key, the function alone knows the key, and takes it by itself.
///
/// # Errors
/// An error of the store once `until` has passed: the message is to be left for redelivery.
pub async fn take(
    ports: &Ports,
    gate: &Gate,
    message: RunMessage,
    policy: &Policy,
    until: Timestamp,
) -> PortResult<Option<Taken>> {
    let seen = match message.seen {
        Some(seen) => *seen,
        None => {
            let key = RunRecord::key_of(message.run);
            match retry_until(ports, until, || load(ports, &key)).await? {
                Some(stored) => stored.record,
                None => return Ok(None), // The history has let it go.
            }
        }
    };
    Ok(Taken::of(commit_call(ports, gate, seen, Input::Delivered(message.purpose), policy, None, until).await?))
}

/// Commits the end of an attempt, and says what its function has to do then: the hooks of the run's end, as a rule nothing.
///
/// # Errors
/// An error of the store once `until` has passed: once the lease has ended, the attempt counts as crashed.
pub async fn end(ports: &Ports, ended: EndedAttempt, until: Timestamp) -> PortResult<Option<Taken>> {
    Ok(Taken::of(ended.commit(ports, until).await?))
}

impl EndedAttempt {
    pub(super) async fn commit(self, ports: &Ports, until: Timestamp) -> PortResult<Option<Committed<RunRecord>>> {
        let Self { run, end, policy } = self;
        commit_run(ports, run, &Input::AttemptEnded(end), Task::Known(&policy), until).await
    }
}
