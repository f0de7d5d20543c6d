//! The inputs of a schedule.

use jiff::Timestamp;

use super::Schedule;
use crate::{Id, Json};

/// A schedule as a program puts it: its times, its task, and the body of its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulePut {
    /// The task it fires.
    pub task: String,
    /// The times of its fires; one that fires once has a moment.
    pub schedule: Schedule,
    /// The body of its runs.
    pub body: Json,
}

/// An input of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub enum ScheduleInput {
    /// A program puts it.
    Put(SchedulePut),
    /// It has been put into the scheduler.
    Scheduled,
    /// The conductor reconciles it.
    Reconciled,
    /// A deploy declares it.
    Declared {
        /// The task it fires.
        task: String,
        /// Is true where it was declared before and fires at the same times: it is not made anew then.
        is_same: bool,
        /// The time at which the deploy was made.
        at: Timestamp,
    },
    /// A program pauses it.
    Paused,
    /// A program resumes it.
    Resumed,
    /// It has fired.
    Fired {
        /// The time it fired for.
        time: Timestamp,
        /// The run that the fire makes.
        run: Id,
        /// The schedule as its code declares it, or as it was put.
        schedule: Schedule,
        /// Is true where that run is there already: the fire comes again.
        is_there: bool,
        /// Is true where the run of its latest fire is unfinished.
        is_unfinished: bool,
    },
    /// Fires were missed while the engine was down.
    Missed(Vec<Timestamp>),
    /// A program deletes it, once the scheduler has it no more; or a deploy no longer declares it.
    Deleted,
}

/// An input without what it holds: a column of the [table](super::table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named as its input")]
pub enum ScheduleInputName {
    Put,
    Scheduled,
    Reconciled,
    Declared,
    Paused,
    Resumed,
    Fired,
    Missed,
    Deleted,
}

impl ScheduleInputName {
    /// All inputs.
    pub const ALL: [Self; 9] = [
        Self::Put,
        Self::Scheduled,
        Self::Reconciled,
        Self::Declared,
        Self::Paused,
        Self::Resumed,
        Self::Fired,
        Self::Missed,
        Self::Deleted,
    ];
}

impl ScheduleInput {
    /// The input's column in the table.
    #[must_use]
    pub const fn name(&self) -> ScheduleInputName {
        match self {
            Self::Put(_) => ScheduleInputName::Put,
            Self::Scheduled => ScheduleInputName::Scheduled,
            Self::Reconciled => ScheduleInputName::Reconciled,
            Self::Declared { .. } => ScheduleInputName::Declared,
            Self::Paused => ScheduleInputName::Paused,
            Self::Resumed => ScheduleInputName::Resumed,
            Self::Fired { .. } => ScheduleInputName::Fired,
            Self::Missed(_) => ScheduleInputName::Missed,
            Self::Deleted => ScheduleInputName::Deleted,
        }
    }
}
