//! A run waits for a signal: whether that has come before.

use dacapo_domain::{Phase, RunRecord, Signal};
use jiff::Timestamp;

use crate::{
    commit::join_children,
    port::{PortResult, Ports},
};

/// Looks whether the signal that a run waits for has come, and wakes the run then: once it is stored as waiting, and
/// `again` where the conductor comes by. Says whether the run was woken.
///
/// # Errors
/// An error of the store.
pub async fn look_for_signal(ports: &Ports, run: &RunRecord, again: bool, until: Timestamp) -> PortResult<bool> {
    match &run.phase {
        Phase::Awaiting { signal: Signal::Children { .. }, .. } => join_children(ports, run, again, until).await,
        _ => Ok(false),
    }
}
