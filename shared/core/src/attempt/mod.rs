//! An attempt: what one call of a handler may ask, its limit, and what keeps the runner alive around it.

mod event;
mod guard;
mod task;

pub use event::EventAttempt;
pub(crate) use guard::Guard;
pub use guard::Limit;
pub use task::{ScheduledFire, TaskAttempt};
