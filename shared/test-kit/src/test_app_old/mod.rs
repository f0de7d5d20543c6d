//! The test kit: an app's real functions on the embedded engine, under a clock that only the test moves.

mod app;
mod clock;
mod faults;
mod faulty;
mod look;

pub use app::TestApp;
pub use clock::{START, VirtualClock};
pub use faults::Faults;

#[cfg(test)]
mod tests;
