use dacapo_domain::{Json, LogLine};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{PortError, PortErrorKind, PortResult};

/// A log entry of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The iteration it was made in.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
    /// The place within the attempt, from 1.
    pub number: u32,
    /// The time at which it was made.
    pub time: Timestamp,
    /// The level: does it tell of an error?
    pub level: LogLevel,
    /// The message.
    pub message: String,
    /// The data that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
    /// The error's chain of causes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The level of a log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// It tells of no error.
    Info,
    /// It tells of one.
    Error,
}

impl LogEntry {
    /// The place among its run's entries, as sortable text.
    #[must_use]
    pub fn sort(&self) -> String {
        format!("{}{:010}", Self::sort_before(self.iteration, self.attempt), self.number)
    }

    /// The place before the first entry of an attempt.
    #[must_use]
    pub fn sort_before(iteration: u32, attempt: u32) -> String {
        format!("{iteration:010}.{attempt:010}.")
    }

    /// The entry as a line of the run's log.
    ///
    /// # Errors
    /// `Refused` if it can't be serialized.
    pub fn line(&self) -> PortResult<LogLine> {
        let document = Json::of(self)
            .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to write a log entry").caused_by(error))?;
        Ok(LogLine { sort: self.sort(), document })
    }

    /// The entry of a line.
    ///
    /// # Errors
    /// `Refused` if the line is none, as one of another version.
    pub fn of(line: &LogLine) -> PortResult<Self> {
        line.document
            .parse()
            .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to read a log entry").caused_by(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_in_order_up_to_the_largest_iteration_attempt_and_number() {
        let sort = |iteration, attempt, number| {
            let (time, level, message) = (Timestamp::UNIX_EPOCH, LogLevel::Info, String::new());
            LogEntry { iteration, attempt, number, time, level, message, data: None, error: None }.sort()
        };
        let numbers = [1, 99_999, 100_000, 999_999, 1_000_000, 99_999_999, 100_000_000, u32::MAX];
        let all: Vec<_> = numbers.iter().flat_map(|a| numbers.iter().map(move |b| (a, b))).collect();
        let sorted = all.iter().flat_map(|(a, b)| numbers.iter().map(move |c| sort(**a, **b, *c)));
        assert!(sorted.is_sorted_by(|one, next| one < next));
    }
}
