//! The steps of an attempt: values that are stored once per run, beside its record.

use std::{collections::BTreeSet, time::Duration};

use dacapo_domain::{Json, NewStep, StepRecord, check_step_name, slot};

use super::{TaskAttempt, step_names::Use, task::lock};
use crate::{
    Error, ErrorKind,
    commit::{Creation, Stored, create, load, retry_until},
};

/// A step that an attempt has come to. One that is dropped without a value stores nothing, and its name may be used again.
pub struct Step<'a> {
    attempt: &'a TaskAttempt,
    name: String,
    /// The use of its name that is left behind.
    leaves: Option<Use>,
}

/// The names that an attempt has used at some time.
pub struct UsedSteps(BTreeSet<String>);

impl TaskAttempt {
    /// Comes to a step, and gives the value that is stored of it, if one is. The store is asked only where one may be.
    ///
    /// # Errors
    /// `Usage` for a name that has not 1 to 256 characters, or that this attempt has used before; else what the store
    /// says.
    pub async fn step(&self, name: &str) -> Result<(Step<'_>, Option<Json>), Error> {
        let refused = |why: &dyn std::fmt::Display| Error::usage(format_args!("make step {name:?}: {why}"));
        check_step_name(name).map_err(|error| Error::usage(format_args!("make a step: {error}")))?;
        let before = lock(&self.steps).begin(name).map_err(|why| refused(&why))?;
        let mut step = Step { attempt: self, name: name.to_owned(), leaves: before };
        let may_be_stored = before.is_some() || lock(&self.steps).to_come != Some(0);
        let value = if may_be_stored { step.load().await? } else { None };
        if value.is_some() {
            step.leaves = Some(Use::Done);
            if before.is_none() {
                lock(&self.steps).found();
            }
        }
        Ok((step, value))
    }

    /// The names of the steps so far.
    #[must_use]
    pub fn used_steps(&self) -> UsedSteps {
        UsedSteps(lock(&self.steps).used.keys().cloned().collect())
    }

    /// Lets what was done since be done again, in place: a step of it that has a value gives that.
    pub fn retry_steps(&self, before: &UsedSteps) {
        let mut steps = lock(&self.steps);
        let since = steps.used.iter_mut().filter(|(name, _)| !before.0.contains(*name));
        since.filter(|(_, usage)| **usage == Use::Done).for_each(|(_, usage)| *usage = Use::Again);
    }
}

impl Step<'_> {
    /// Stores the value of its work. Another attempt may have been first: then that one's value counts, and is given.
    ///
    /// # Errors
    /// `Refused` once the attempt has ended; else what the store says.
    pub async fn store(mut self, value: Json, took: Duration) -> Result<Option<Json>, Error> {
        let attempt = self.attempt;
        {
            let mut steps = lock(&attempt.steps);
            steps.check(format_args!("store step {:?}", self.name))?;
            steps.stored = steps.stored.saturating_add(1);
        }
        // Where the reply is lost, it may be stored all the same.
        self.leaves = Some(Use::Again);
        let (run, ports) = (attempt.run(), attempt.app().ports());
        let new = NewStep { name: &self.name, expires_at_s: run.step_expires_at_s(attempt.policy()), run: &run, took };
        let decision = StepRecord::create(&new, value, &ports.clock.decision_context());
        let first = match create(ports, &decision, attempt.write_until()).await? {
            Creation::New => None,
            Creation::Exists(_) => {
                let gone = || Error::new(ErrorKind::Transient, format!("read step {:?}: it is gone", self.name));
                Some(self.load().await?.ok_or_else(gone)?)
            }
        };
        self.leaves = Some(Use::Done);
        Ok(first)
    }

    async fn load(&self) -> Result<Option<Json>, Error> {
        let (key, ports) = (StepRecord::key_of(self.attempt.run().id, &self.name), self.attempt.app().ports());
        let stored = retry_until(ports, self.attempt.write_until(), || load::<StepRecord>(ports, &key)).await?;
        Ok(stored.and_then(|Stored { mut payloads, .. }| payloads.take(slot::VALUE)))
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        lock(&self.attempt.steps).leave(&self.name, self.leaves);
    }
}
