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
    /// Takes it out of the scheduler again.
    TakeOutAgain,
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
    /// Takes it out of the scheduler, where a program has put it there; else deletes it.
    Delete,
    /// Does so where it is the one that was used, and fires no more.
    DeleteUsed,
    /// Puts one that was put again in between into the scheduler.
    PutBack,
    /// Deletes its record.
    Forget,
}

/// The meaning of an input in a phase.
#[must_use]
pub const fn cell(phase: SchedulePhaseName, input: ScheduleInputName) -> ScheduleCell {
    use ScheduleCell::{Does, Ignored};
    use ScheduleInputName as I;
    use SchedulePhaseName::{Active, Deleted, Paused};
    use ScheduleTransition as T;

    match (input, phase) {
        (I::Put, _) => Does(T::Put),
        (I::Declared, _) => Does(T::Declare),
        (I::Scheduled, Active | Paused) => Does(T::NoteScheduled),
        (I::Reconciled, Active | Paused) => Does(T::PutAgain),
        (I::Paused, Active) => Does(T::Pause),
        (I::Paused, Paused) => Ignored("it is paused already"),
        (I::Resumed, Active) => Ignored("it is not paused"),
        (I::Resumed, Paused) => Does(T::Resume),
        (I::Fired, Active | Paused) => Does(T::Fire),
        (I::Used, Active | Paused) => Does(T::DeleteUsed),
        (I::Missed, Active | Paused) => Does(T::RememberMissed),
        (I::Deleted, Active | Paused) => Does(T::Delete),
        (I::Unscheduled, Active | Paused) => Does(T::PutBack),

        (I::Reconciled | I::Deleted, Deleted) => Does(T::TakeOutAgain),
        (I::Unscheduled, Deleted) => Does(T::Forget),
        (I::Scheduled | I::Paused | I::Resumed | I::Fired | I::Used | I::Missed, Deleted) => {
            Ignored("it is to be deleted")
        }
    }
}

impl ScheduleTransition {
    /// The phases that it may lead to from this one; none where it stays, or only ever deletes the record.
    #[must_use]
    pub const fn leads_to(self, from: SchedulePhaseName) -> &'static [SchedulePhaseName] {
        use SchedulePhaseName::{Active, Deleted, Paused};
        match self {
            Self::Put | Self::Declare if matches!(from, Deleted) => &[Active],
            Self::Pause => &[Paused],
            Self::Resume => &[Active],
            Self::Delete | Self::DeleteUsed => &[Deleted],
            _ => &[],
        }
    }

    /// Is true where it may delete the record.
    #[must_use]
    pub const fn deletes(self) -> bool {
        matches!(self, Self::Delete | Self::Forget)
    }
}

/// The table as a Mermaid state diagram.
#[must_use]
pub fn diagram() -> String {
    let arrows = SchedulePhaseName::ALL.into_iter().flat_map(|from| {
        ScheduleInputName::ALL.into_iter().flat_map(move |input| {
            let ScheduleCell::Does(transition) = cell(from, input) else { return vec![] };
            let to = transition.leads_to(from);
            let always = transition == ScheduleTransition::Forget;
            let mut arrows = if always { vec![] } else { diagram::arrows(from, input, to) };
            arrows.extend(transition.deletes().then_some(Arrow { from, to: None, input }));
            arrows
        })
    });
    diagram::draw(SchedulePhaseName::Active, &[], arrows)
}
