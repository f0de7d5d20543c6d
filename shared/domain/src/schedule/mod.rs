//! A schedule: as a user writes it, as it is understood, when it fires, and what is stored of it.

mod decide;
mod definition;
mod due_fires;
mod fire_times;
mod input;
mod record;
mod recurrence;
pub mod table;

pub use definition::{Overlap, Schedule, at, cron, every};
pub use due_fires::{DueFires, SkipReason, SkippedFire, SkippedFires};
pub use fire_times::{AdjacentFires, FireTimes, MissedFires, fire_id};
pub use input::{ScheduleInput, ScheduleInputName, SchedulePut};
pub use record::{SchedulePhaseName, ScheduleRecord};
pub use recurrence::{AWS_SCHEDULED_TIME, Recurrence, ScheduleError, aws_at};
