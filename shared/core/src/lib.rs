//! The mechanics of records: the ports, the commit, the attempt, the runner, the conductor.
//!
//! Handlers' authors import `dacapo`; this crate is for those who bring Dacapo to a place: an adapter implements
//! [`port`], [`Runner`](runner::Runner) runs one function, and [`Conductor`](conductor::Conductor) delivers what is
//! late and repairs what is stuck.

mod app;
pub mod attempt;
mod brief;
pub mod bulk;
pub mod commit;
pub mod conductor;
pub mod control;
pub mod dead_letter;
pub mod debounce;
mod error;
pub mod function;
pub mod hook;
mod lifecycle;
pub mod list;
mod metrics;
mod origin;
pub mod port;
mod publish;
pub mod queues;
pub mod runner;
mod schedule;
mod signal;
mod span;
mod token;
mod variables;
pub mod webhook;

pub use app::{App, read_manifest};
pub use error::{Error, ErrorKind};

pub use metrics::METRICS;
pub use origin::Origin;
pub use publish::publish;
pub use schedule::ensure_scheduled;
pub use span::{ATTEMPT_SPAN, link_spans, read_traceparent};
pub use token::complete;
pub use variables::Variables;
