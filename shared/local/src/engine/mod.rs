//! The delivery: what is due is taken from the database and brought to the functions, as AWS's services would.
//!
//! [`Engine`] knows what is due and what follows from it; it never waits. The waiting is done by [`EngineLoop`], by the
//! machine's clock, or by a test, by a clock of its own. All functions, the conductor among them, are invoked through
//! one [`Invoke`].

mod admission;
#[expect(clippy::module_inception, reason = "a file is named for what it holds")]
mod engine;
mod engine_loop;
mod invoke;
mod perform;
mod take;

pub(crate) use admission::Admission;
pub use engine::{Engine, STAGE};
pub use engine_loop::{EngineLoop, Permits};
pub(crate) use invoke::Programs;
pub use invoke::{InProcess, Invoke, WithConductor};
pub use take::{Turn, Work};

#[cfg(test)]
mod tests;
