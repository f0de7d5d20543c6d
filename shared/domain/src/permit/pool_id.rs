//! The name of a pool.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{RecordKey, slug};

/// The name of a pool of permits: that of a task or of a queue, or of one key there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PoolId {
    /// `task.{slug}` or `queue.{name}`.
    pub scope: String,
    /// The key, where the pool is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl PoolId {
    /// The kind of its record.
    pub const KIND: &str = "pool";

    /// The pool of a task without a queue.
    #[must_use]
    pub fn of_task(task: &str) -> Self {
        Self { scope: format!("task.{}", slug(task)), key: None }
    }

    /// The pool of a queue.
    #[must_use]
    pub fn of_queue(queue: &str) -> Self {
        Self { scope: format!("queue.{queue}"), key: None }
    }

    /// The key of its record.
    #[must_use]
    pub fn record_key(&self) -> RecordKey {
        RecordKey::new(Self::KIND, self.to_string())
    }
}

/// The scope, and after a point the key, with its slashes escaped: tickets stand beside the record of this id.
impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            None => f.write_str(&self.scope),
            Some(key) => write!(f, "{}.{}", self.scope, key.replace('%', "%25").replace('/', "%2F")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_of_different_keys_have_different_ids_without_a_slash() {
        let id = |key: &str| PoolId { key: Some(key.to_owned()), ..PoolId::of_queue("mail") }.to_string();
        let ids = [PoolId::of_queue("mail").to_string(), id("a/b"), id("a%2Fb"), id("a.b"), id("a")];
        assert_eq!(ids, ["queue.mail", "queue.mail.a%2Fb", "queue.mail.a%252Fb", "queue.mail.a.b", "queue.mail.a"]);
    }
}
