//! What is counted of an app: the metrics, and the changes of a run and a delivery that they count.

use std::time::Duration;

use crate::{
    AttemptOutcome, DeliveryInput, DeliveryPhase, DeliveryRecord, FinalState, Input, Lease, Phase, RunRecord, code,
    until,
};

/// A metric of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Runs whose first attempt was taken.
    Started,
    /// Runs that completed.
    Completed,
    /// Runs that failed.
    Failed,
    /// Attempts that failed and are followed by another.
    Retried,
    /// Attempts that took longer than their timeout.
    TimedOut,
    /// Time spent in a handler, in milliseconds.
    Duration,
    /// Time from when an attempt was due until it was taken, in milliseconds.
    Delay,
    /// Events handled, each attempt of one counted.
    Deliveries,
    /// Events given up.
    DeadLetters,
    /// Runs parked until there is a permit.
    Parked,
}

/// What a change counts for: the metrics with their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The function that it counts for.
    pub function: String,
    /// The values.
    pub values: Vec<(Metric, u64)>,
}

impl Measured {
    /// One attempt at an event: since when it was due, and how long its handlers took.
    #[must_use]
    pub fn delivery(function: &str, delay: Duration, spent: Duration) -> Self {
        let values = vec![(Metric::Deliveries, 1), (Metric::Delay, ms(delay)), (Metric::Duration, ms(spent))];
        Self { function: function.to_owned(), values }
    }

    /// The value of a metric, where it is counted.
    #[must_use]
    pub fn of(&self, metric: Metric) -> Option<u64> {
        self.values.iter().find(|(of, _)| *of == metric).map(|(_, value)| *value)
    }
}

impl RunRecord {
    /// What the change from this record to the next one counts for. What an attempt counts for is told at its end, so
    /// that one line of a log tells all of it.
    pub(crate) fn measured(&self, input: &Input, next: &Self) -> Measured {
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

impl DeliveryRecord {
    /// What the change from this record to the next one counts for, beside the attempt itself.
    pub(crate) fn measured(&self, input: &DeliveryInput, next: &Self) -> Measured {
        let mut values = vec![];
        let has_failed = match input {
            DeliveryInput::Handled(failures) | DeliveryInput::AttemptEnded(_, failures) => {
                if failures.iter().any(|failure| failure.error.error.code == code::TIMEOUT) {
                    values.push((Metric::TimedOut, 1));
                }
                true
            }
            _ => false,
        };
        match next.phase {
            DeliveryPhase::Dropped if self.phase != DeliveryPhase::Dropped => values.push((Metric::DeadLetters, 1)),
            DeliveryPhase::Retrying if has_failed => values.push((Metric::Retried, 1)),
            _ => {}
        }
        Measured { function: self.function.clone(), values }
    }
}

fn running(run: &RunRecord) -> Option<&Lease> {
    match &run.phase {
        Phase::Running { lease, .. } => Some(lease),
        _ => None,
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
