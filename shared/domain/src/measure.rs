//! Counts of an app: the metrics, and their values.

use std::time::Duration;

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

/// The counts of a change: the metrics with their values.
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

/// A time as a metric has it, in milliseconds.
pub(crate) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
