//! Children: runs that another waits for.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{Id, Json, Payload, Payloads, limits, slot};

/// A run that another waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// The task's name.
    pub task: String,
    /// The id.
    pub id: Id,
    /// The run whose handler started it, or found it by its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<Id>,
}

/// Runs that can't be waited for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChildrenError {
    /// There are more than may be.
    #[error("can't wait for {0} children (allowed: {allowed})", allowed = limits::BATCH)]
    TooMany(usize),
    /// One is another's, or was started by a program.
    #[error(
        "can't wait for run {id} of task {task:?}: it was not started by this run's handler (start it by `cx.run` or `cx.batch`)"
    )]
    Stranger {
        /// The task's name.
        task: String,
        /// The id.
        id: Id,
    },
}

impl Child {
    /// The payload that keeps a list of these with the run that waits for them.
    #[must_use]
    #[expect(clippy::expect_used, reason = "names and ids can be serialized")]
    pub fn list(children: &[Self]) -> Json {
        let checked: Vec<Self> = children.iter().map(|child| Self { started_by: None, ..child.clone() }).collect();
        Json::of(&checked).expect("names and ids can be serialized")
    }

    /// The number of those in a run's list, where that was read.
    pub(crate) fn count(payloads: &Payloads) -> Option<usize> {
        match payloads.get(slot::CHILDREN) {
            Payload::Here(list) => list.parse::<Vec<IgnoredAny>>().ok().map(|list| list.len()),
            Payload::Apart | Payload::Absent => None,
        }
    }

    /// Checks that a run may wait for these.
    ///
    /// # Errors
    /// If there are more than 1,000, or one was not started by this run's handler.
    pub fn check(children: &[Self], parent: Id) -> Result<(), ChildrenError> {
        if children.len() > limits::BATCH {
            return Err(ChildrenError::TooMany(children.len()));
        }
        match children.iter().find(|child| child.started_by != Some(parent)) {
            Some(stranger) => Err(ChildrenError::Stranger { task: stranger.task.clone(), id: stranger.id }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{AttemptOutcome, Wait};

    #[test]
    fn run_that_started_a_child_travels_with_it_and_is_not_kept_in_the_list() {
        let (parent, id) = (Id::new(Timestamp::UNIX_EPOCH, 1), Id::new(Timestamp::UNIX_EPOCH, 2));
        let children = vec![Child { task: "check".to_owned(), id, started_by: Some(parent) }];
        let list = Child::list(&children);
        assert_eq!(list.text(), format!(r#"[{{"task":"check","id":"{id}"}}]"#));
        let outcome = AttemptOutcome::Continue { input: Json::default(), wait: Wait::Children(children) };
        let travelled = serde_json::from_str::<AttemptOutcome>(&serde_json::to_string(&outcome).unwrap()).unwrap();
        assert_eq!(travelled, outcome);
        let AttemptOutcome::Continue { wait: Wait::Children(children), .. } = travelled else { panic!() };
        assert_eq!(Child::check(&children, parent), Ok(()));
    }
}
