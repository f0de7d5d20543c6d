//! The table of a schedule's life: what each input does in each phase.

use super::{ScheduleInputName, SchedulePhaseName};
use crate::diagram::{self, Arrow};

/// The meaning of an input in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleCell {
    /// It leads to this transition.
    Does(ScheduleTransition),
    /// It is ignored, for this reason.
    Ignored(&'static str),
}

/// A transition, as its function is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScheduleTransition {
    /// Stores what it fires; where its times changed, it is to be put into the scheduler.
    Put,
    /// Stores that the scheduler has it.
    NoteScheduled,
    /// Puts it into the scheduler again.
    PutAgain,
    /// Stores since when the code declares it.
    Declare,
    /// Stores that its fires make no run.
    Pause,
    /// Stores that they do.
    Resume,
    /// Makes the run of a fire, or remembers why not.
    Fire,
    /// Remembers fires that were missed.
    RememberMissed,
    /// Deletes it.
    Delete,
}

/// The meaning of an input in a phase.
#[must_use]
pub const fn cell(phase: SchedulePhaseName, input: ScheduleInputName) -> ScheduleCell {
    use ScheduleCell::{Does, Ignored};
    use ScheduleInputName as I;
    use SchedulePhaseName::{Active, Paused};
    use ScheduleTransition as T;

    match (input, phase) {
        (I::Put, Active | Paused) => Does(T::Put),
        (I::Scheduled, Active | Paused) => Does(T::NoteScheduled),
        (I::Reconciled, Active | Paused) => Does(T::PutAgain),
        (I::Declared, Active | Paused) => Does(T::Declare),
        (I::Paused, Active) => Does(T::Pause),
        (I::Paused, Paused) => Ignored("it is paused already"),
        (I::Resumed, Active) => Ignored("it is not paused"),
        (I::Resumed, Paused) => Does(T::Resume),
        (I::Fired, Active | Paused) => Does(T::Fire),
        (I::Missed, Active | Paused) => Does(T::RememberMissed),
        (I::Deleted, Active | Paused) => Does(T::Delete),
    }
}

impl ScheduleTransition {
    /// The phases that it may lead to; none where it always stays, or deletes the schedule.
    #[must_use]
    pub const fn leads_to(self) -> &'static [SchedulePhaseName] {
        match self {
            Self::Pause => &[SchedulePhaseName::Paused],
            Self::Resume => &[SchedulePhaseName::Active],
            Self::Put
            | Self::NoteScheduled
            | Self::PutAgain
            | Self::Declare
            | Self::Fire
            | Self::RememberMissed
            | Self::Delete => &[],
        }
    }
}

/// The table as a Mermaid state diagram.
#[must_use]
pub fn diagram() -> String {
    let arrows = SchedulePhaseName::ALL.into_iter().flat_map(|from| {
        ScheduleInputName::ALL.into_iter().flat_map(move |input| match cell(from, input) {
            ScheduleCell::Does(ScheduleTransition::Delete) => vec![Arrow { from, to: None, input }],
            ScheduleCell::Does(transition) => diagram::arrows(from, input, transition.leads_to()),
            ScheduleCell::Ignored(_) => vec![],
        })
    });
    diagram::draw(SchedulePhaseName::Active, &[], arrows)
}
