//! An attempt: what one call of a handler may ask, its limit, and what keeps the runner alive around it.

mod data;
mod event;
mod guard;
mod log;
mod progress;
mod record;
mod step;
mod step_names;
mod stored;
mod task;
mod token;
mod told;

pub use event::EventAttempt;
pub(crate) use guard::Guard;
pub use guard::{Limit, panic_text};
pub(crate) use log::Log;
pub use step::{Step, UsedSteps};
pub use task::{ScheduledFire, TaskAttempt};
pub use token::TokenOutcome;
