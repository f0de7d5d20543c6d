//! The manifest of what is deployed, read at most once a minute.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dacapo_domain::{Manifest, TaskEntry, slug};
use jiff::Timestamp;

use super::Client;
use crate::{Error, ErrorKind};

const FRESH: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Known(Mutex<Option<(Timestamp, Arc<Manifest>)>>);

impl Client {
    /// What all functions of the app say of themselves.
    ///
    /// # Errors
    /// `NotDeployed` if the app was never deployed.
    pub async fn manifest(&self) -> Result<Arc<Manifest>, Error> {
        let now = self.ports().clock.now();
        let cached = self.app.known.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((since, manifest)) = cached
            && dacapo_domain::until(since, now) < FRESH
        {
            return Ok(manifest);
        }
        let manifest = self.ports().store.manifest().await?.ok_or_else(|| {
            let text = "find the app's manifest (`make deploy` stores it, `dacapo dev` does so at its start)";
            Error::new(ErrorKind::NotDeployed, text)
        })?;
        let manifest = Arc::new(manifest);
        *self.app.known.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, manifest.clone()));
        Ok(manifest)
    }

    /// The task of a name, for those who have no reference to it.
    pub(super) async fn task_by_name(&self, name: &str) -> Result<TaskEntry, Error> {
        let manifest = self.manifest().await?;
        if let Some((_, task)) = manifest.task(name) {
            return Ok(task.clone());
        }
        let known: Vec<&str> = manifest.tasks().map(|(_, task)| task.name.as_str()).collect();
        Err(Error::new(ErrorKind::NotFound, format!("find a task named {name:?}{}", suggestion(name, &known))))
    }
}

/// What somebody may have meant: a name with the same slug or one that is nearly the same, else all names.
pub(super) fn suggestion(given: &str, known: &[&str]) -> String {
    let near = known.iter().find(|name| slug(name) == slug(given) || edits(name, given) <= 2);
    match near {
        Some(name) => format!(" (did you mean {name:?}?)"),
        None if known.is_empty() => " (the app has none)".to_owned(),
        None => format!(" (there are: {})", known.join(", ")),
    }
}

/// The edit distance of two names.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
