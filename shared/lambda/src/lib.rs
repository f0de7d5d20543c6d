//! Lambda payloads in and out: a batch of SQS messages, the loop's call, a direct invocation.
//!
//! The [`Runner`](dacapo_core::runner::Runner) and the [`Conductor`](dacapo_core::conductor::Conductor) deal with payloads;
//! here they are told apart, handed over one by one, and answered so that one bad message fails no other.

mod answer;
mod function_url;
mod receiver;
mod serve;

pub use answer::answer;
pub use receiver::{ReceivedMessage, Receiver};
pub use serve::{failure, serve_conductor, serve_runner};
