//! The delivery: what is due is taken from the database and brought to the functions, as AWS's services would.
//!
//! [`Engine`] knows what is due and what follows from it; it never waits. Who waits is the driver: [`Driver`] by the
//! machine's clock, the test kit by a clock of its own.

mod conduct;
mod deliver;
mod driver;
mod due;
mod execution;
mod in_process;
mod invoke;
mod programs;
mod schedules;
mod take;

pub use driver::{Driver, Places};
pub use due::Engine;
pub use in_process::{InProcess, Life, Lives};
pub use invoke::{Crash, Invoke};
pub(crate) use programs::Programs;
pub use take::{Turn, Work};

#[cfg(test)]
mod tests;
