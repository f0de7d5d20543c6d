//! An app's real functions on the embedded engine, under a clock that only the test moves.
//!
//! [`TestApp`] is what tests use. With [`Faults`], everything goes wrong that may: processes that die between any two
//! effects, calls refused, replies lost, messages doubled and late.

mod app;
mod client;
mod clock;
mod faults;
mod idle;
mod plan;
#[cfg(feature = "planted-bugs")]
mod planted;
mod ports;
mod processes;
mod side_by_side;
mod trace;

pub use app::TestApp;
pub use clock::{START, VirtualClock};
pub use faults::{Faults, Service, Throttling};
#[cfg(feature = "planted-bugs")]
pub use planted::Bug;
pub use trace::{Trace, short};

#[cfg(test)]
mod tests;
