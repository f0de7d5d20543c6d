//! One playing of a history: its seed, how much of it happens, and the account of it.

use std::{collections::BTreeSet, sync::Arc};

use dacapo_test_kit::{Bug, Faults, Trace};

/// One playing of a history.
#[derive(Clone, Debug, Default)]
pub struct Play {
    /// The seed, which decides everything.
    pub seed: u64,
    /// The steps that happen, at most; all where it is `None`.
    pub most_steps: Option<u32>,
    /// The faults that happen, by their numbers; all where it is `None`.
    pub only: Option<Arc<BTreeSet<u32>>>,
    /// The bug that is planted.
    pub bug: Option<Bug>,
    /// The account.
    pub trace: Trace,
}

impl Play {
    /// The same history to be played again.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { trace: Trace::default(), ..self.clone() }
    }

    /// The faults of this playing, which happen as often as these.
    #[must_use]
    pub fn faults(&self, faults: &Faults) -> Faults {
        Faults { only: self.only.clone(), trace: Some(self.trace.clone()), bug: self.bug, ..faults.clone() }
    }

    /// The steps of this playing, of a history that has so many.
    pub fn steps(&self, count: u32) -> impl Iterator<Item = u32> + use<> {
        let trace = self.trace.clone();
        (0..count.min(self.most_steps.unwrap_or(count))).inspect(move |step| trace.note(|| format!("step {step}")))
    }

    /// Adds a line to the account.
    pub fn note(&self, line: impl FnOnce() -> String) {
        self.trace.note(|| format!("  test: {}", line()));
    }
}
