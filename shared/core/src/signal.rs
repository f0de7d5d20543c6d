//! A run waits for a signal: whether that has come before.

use dacapo_domain::{Input, Phase, RunRecord, Signal, Task};
use jiff::Timestamp;

use crate::{
    commit::{commit_run, join_children},
    port::{PortResult, Ports},
    token,
};

/// Looks whether the signal that a run waits for has come, and wakes the run then: once it is stored as waiting, and
/// `again` where the conductor comes by. Says whether the run was woken.
///
/// # Errors
/// An error of the store.
pub async fn look_for_signal(ports: &Ports, run: &RunRecord, again: bool, until: Timestamp) -> PortResult<bool> {
    let Phase::Awaiting { signal, .. } = &run.phase else { return Ok(false) };
    match signal {
        Signal::Children { .. } => join_children(ports, run, again, until).await,
        Signal::Token { name } if token::is_over(ports, run.id, name, until).await? => {
            commit_run(ports, run.clone(), &Input::Signalled(signal.clone()), Task::Removed, until).await?;
            Ok(true)
        }
        Signal::Token { .. } => Ok(false),
    }
}
