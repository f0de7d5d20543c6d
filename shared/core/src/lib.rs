//! What moves records: the ports, the commit, the attempt, the runner, the conductor.
//!
//! Handlers' authors import `dacapo`; this crate is for those who bring Dacapo to a place: an adapter implements
//! [`port`], [`Runner`](runner::Runner) runs one function, and [`Conductor`](conductor::Conductor) delivers what is
//! late and repairs what is stuck.

pub mod commit;
pub mod port;
