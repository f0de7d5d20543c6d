//! Lambda payloads in and out: a batch of SQS messages, the loop's call, a direct invocation.
//!
//! What comes of a payload is the [`Runner`](dacapo_core::runner::Runner)'s and the [`Conductor`](dacapo_core::conductor::Conductor)'s matter; here
//! it is told apart, handed over one by one, and answered so that one bad message fails no other.

mod answer;
mod function_url;
mod receiver;
mod serve;

pub use answer::answer;
pub use receiver::{ReceivedMessage, Receiver};
pub use serve::{failure, serve_conductor, serve_runner};
