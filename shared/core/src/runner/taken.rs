//! A run's message, taken for its function: by the function itself, or by the engine that delivers it.

use dacapo_domain::{Input, Payloads, Policy, RunMessage, RunRecord, Task, Work};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    commit::{commit_run, load, retry_until},
    port::{PortResult, Ports},
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

/// Commits that a run's message has arrived at its function. `None` where that gives the function nothing to do: the
/// message was early, late, or not meant for the run as it is now.
///
/// The lease of an attempt begins here: its function is to be there, and to get this at once.
///
/// # Errors
/// An error of the store once `until` has passed: the message is to be left for redelivery.
pub async fn take(ports: &Ports, message: RunMessage, policy: &Policy, until: Timestamp) -> PortResult<Option<Taken>> {
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
    let committed = commit_run(ports, seen, &Input::Delivered(message.purpose), Task::Known(policy), until).await?;
    Ok(committed.and_then(|committed| {
        let work = committed.work?;
        Some(Taken { run: committed.record, payloads: committed.payloads, work })
    }))
}
