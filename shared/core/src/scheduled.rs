//! A schedule made at run time, on its way into the scheduler.

use dacapo_domain::{ScheduleInput, ScheduleRecord, Work};
use jiff::Timestamp;

use crate::{
    commit::{Committed, Seen, commit},
    port::{PortResult, Ports},
};

/// Puts a schedule into the scheduler where its record asks for it, and notes that it is there. A crash in between is
/// the conductor's to repair.
///
/// # Errors
/// An error of the scheduler or of the store; the schedule may be there all the same.
pub async fn ensure_scheduled(
    ports: &Ports,
    committed: Option<Committed<ScheduleRecord>>,
    until: Timestamp,
) -> PortResult<()> {
    let Some(Committed { record, work: Some(Work::PutSchedule), .. }) = committed else { return Ok(()) };
    if let Some(effect) = record.put_effect() {
        ports.outbox.post(&effect).await?;
    }
    commit(ports, Seen::Stored(record), &ScheduleInput::Scheduled, (), until).await?;
    Ok(())
}
