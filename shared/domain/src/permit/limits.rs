//! The limits that a task's attempts share, and the pools of permits that they come to.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Permit, PoolId};
use crate::limits;

/// The limits of a task: how many of its attempts execute at once, and how many start in a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// The queue whose tasks share the limits; the task's own where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The limit of all attempts together.
    #[serde(skip_serializing_if = "Limit::is_none")]
    pub total: Limit,
    /// The limit for each key.
    #[serde(skip_serializing_if = "Limit::is_none")]
    pub per_key: Limit,
}

/// A limit; without either part it holds nothing back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limit {
    /// Attempts that execute at once, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Attempts that start in a time, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// A number of starts in any window of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// The number.
    pub starts: u32,
    /// The length.
    #[serde(rename = "perMs", with = "crate::ms")]
    pub per: Duration,
}

/// The text names no queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("queue name {given:?} is not 1 to {} characters of a-z, A-Z, 0-9, - and _", limits::QUEUE_CHARS)]
pub struct QueueNameError {
    given: String,
}

impl Limits {
    /// The limits' pools for an attempt, in the order in which permits are taken: who waits for a later one holds the
    /// earlier ones, so that keys are fair to each other. None of a key where the body gives none; one of all where the queue
    /// is paused, whatever the limits.
    #[must_use]
    pub fn pools(&self, task: &str, key: Option<&str>, is_paused: bool) -> Vec<(PoolId, Limit)> {
        let scope = self.scope(task);
        let of_key = key.filter(|_| !self.per_key.is_none());
        let of_key = of_key.map(|key| (PoolId { scope: scope.clone(), key: Some(key.to_owned()) }, self.per_key));
        let total = (is_paused || !self.total.is_none()).then_some((PoolId { scope, key: None }, self.total));
        of_key.into_iter().chain(total).collect()
    }

    /// The scope of the pools: the queue, or the task.
    #[must_use]
    pub fn scope(&self, task: &str) -> String {
        self.queue.as_ref().map_or_else(|| PoolId::of_task(task), |queue| PoolId::of_queue(queue)).scope
    }

    /// The limit of one of the pools.
    #[must_use]
    pub fn of_pool(&self, pool: &PoolId) -> Limit {
        if pool.key.is_some() { self.per_key } else { self.total }
    }

    /// Is true where nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Is true where the body of a run must be read before its attempt is taken.
    #[must_use]
    pub const fn are_keyed(&self) -> bool {
        !self.per_key.is_none()
    }

    /// Is true where nothing is limited.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.total.is_none() && self.per_key.is_none()
    }

    /// Checks a queue's name.
    ///
    /// # Errors
    /// If it has no characters, too many, or others than are allowed.
    pub fn check_queue(name: &str) -> Result<(), QueueNameError> {
        let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
        if (1..=limits::QUEUE_CHARS).contains(&name.len()) && name.bytes().all(is_letter) {
            return Ok(());
        }
        Err(QueueNameError { given: name.to_owned() })
    }
}

/// The options that say so: `concurrency(2) rate_limit(5 per 60s)`; `no limit` without any.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let concurrency = |limit: Limit, of: &str| limit.concurrency.map(|most| format!("concurrency{of}({most})"));
        let rate = |limit: Limit, of: &str| {
            limit.rate.map(|rate| format!("rate_limit{of}({} per {:?})", rate.starts, rate.per))
        };
        let all = [(self.total, ""), (self.per_key, "_per_key")];
        let all: Vec<String> =
            all.iter().flat_map(|(limit, of)| [concurrency(*limit, of), rate(*limit, of)]).flatten().collect();
        f.write_str(if all.is_empty() { "no limit" } else { "" })?;
        f.write_str(&all.join(" "))
    }
}

impl Limit {
    /// Is true where it holds nothing back.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.concurrency.is_none() && self.rate.is_none()
    }

    /// Is true of a permit that is a start that was counted, and nothing else.
    pub(super) const fn is_start(&self, permit: &Permit) -> bool {
        self.concurrency.is_none() && self.rate.is_some() && !permit.is_promised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_name_is_refused_where_it_has_a_slash_or_no_or_too_many_characters() {
        for good in ["mail", "Mail_2-b", &"q".repeat(64)] {
            assert_eq!(Limits::check_queue(good), Ok(()), "{good}");
        }
        for bad in ["", "a/b", "a.b", "ä", &"q".repeat(65)] {
            let error = Limits::check_queue(bad).unwrap_err().to_string();
            let allowed = "is not 1 to 64 characters of a-z, A-Z, 0-9, - and _";
            assert_eq!(error, format!("queue name {bad:?} {allowed}"));
        }
    }
}
