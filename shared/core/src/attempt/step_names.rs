//! The names of the steps of an attempt, and the number of what it stores beside its run.

use std::collections::BTreeMap;

use dacapo_domain::RunRecord;

use crate::{Error, ErrorKind};

/// The steps of an attempt: the names that it has used, and what it knows of those that are stored.
pub(super) struct AttemptSteps {
    pub used: BTreeMap<String, Use>,
    /// Those that it has stored, or may have.
    pub stored: u32,
    /// Those of attempts before this one that it has not come to; `None` where they are not counted.
    pub to_come: Option<u32>,
    /// The tokens that it has made, or may have.
    pub tokens: u32,
    pub has_ended: bool,
}

/// The use of a name by an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The work is under way.
    UnderWay,
    /// The value is there.
    Done,
    /// The value may be there, and it is retried in place.
    Again,
}

impl AttemptSteps {
    pub fn of(run: &RunRecord) -> Self {
        let to_come = (!run.steps.are_uncounted).then_some(run.steps.count);
        Self { used: BTreeMap::new(), stored: 0, to_come, tokens: 0, has_ended: false }
    }

    /// Ends them with their attempt: gives the number of steps that it has stored, and of tokens that it has made.
    pub fn end(&mut self) -> (u32, u32) {
        self.has_ended = true;
        (self.stored, self.tokens)
    }

    /// Refuses what would be stored by an attempt that has ended, and counted by none.
    pub fn check(&self, what: std::fmt::Arguments<'_>) -> Result<(), Error> {
        let text = || format!("{what}: its attempt has ended (nothing was stored)");
        if self.has_ended { Err(Error::new(ErrorKind::Refused, text())) } else { Ok(()) }
    }

    /// Takes a name; gives the use of it before, or none.
    pub fn begin(&mut self, name: &str) -> Result<Option<Use>, String> {
        match self.used.get(name) {
            Some(Use::UnderWay | Use::Done) => Err(format!(
                "this attempt has used the name before (a name is a step's own; in a loop, number it: \
                 format!(\"{name} {{number}}\"))"
            )),
            Some(Use::Again) | None => Ok(self.used.insert(name.to_owned(), Use::UnderWay)),
        }
    }

    /// Ends a use of a name.
    pub fn leave(&mut self, name: &str, usage: Option<Use>) {
        match usage {
            Some(usage) => drop(self.used.insert(name.to_owned(), usage)),
            None => drop(self.used.remove(name)),
        }
    }

    /// Comes to one of an attempt before this.
    pub fn found(&mut self) {
        self.to_come = self.to_come.map(|count| count.saturating_sub(1));
    }
}
