//! The counts of a change of a run.

use super::{FinalState, Input, Lease, Phase, RunRecord};
use crate::{
    AttemptOutcome, code,
    measure::{Measured, Metric, ms},
    until,
};

impl RunRecord {
    /// The counts of the change from this record to the next one. What an attempt counts for is told at its end, so
    /// that one line of a log tells all of it.
    pub(super) fn measured(&self, input: &Input, next: &Self) -> Measured {
        let mut values = vec![];
        if let Some(lease) = running(self).filter(|lease| running(next).is_none_or(|now| now.token != lease.token)) {
            if self.started_at == Some(lease.since) {
                values.push((Metric::Started, 1));
            }
            values.push((Metric::Delay, ms(until(self.due_at, lease.since))));
        }
        if let Input::AttemptEnded(ended) = input {
            values.push((Metric::Duration, ms(ended.spent)));
            if matches!(&ended.outcome, AttemptOutcome::Failed(failed) if failed.error.code == code::TIMEOUT) {
                values.push((Metric::TimedOut, 1));
            }
        }
        match &next.phase {
            Phase::Ended(end) if !self.phase.is_final() => match end.state {
                FinalState::Completed => values.push((Metric::Completed, 1)),
                FinalState::Failed => values.push((Metric::Failed, 1)),
                FinalState::Aborted | FinalState::Expired => {}
            },
            Phase::Parked { .. } if self.phase.name() != next.phase.name() => values.push((Metric::Parked, 1)),
            _ if next.attempt > self.attempt && next.iteration == self.iteration => {
                values.push((Metric::Retried, 1));
            }
            _ => {}
        }
        Measured { function: self.function(), values }
    }
}

fn running(run: &RunRecord) -> Option<&Lease> {
    match &run.phase {
        Phase::Running { lease, .. } => Some(lease),
        _ => None,
    }
}
