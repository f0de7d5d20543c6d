//! The proof of the whole: harness, contract suite, LocalStack, simulation, the law of the crates.

#![expect(clippy::expect_used, reason = "what fails ends the test")]

pub mod any_bytes;
pub mod contract;
pub mod histories;
#[cfg(feature = "localstack")]
pub mod lambda;
#[cfg(feature = "localstack")]
pub mod localstack;
#[cfg(feature = "localstack")]
pub mod proxy;
#[cfg(feature = "localstack")]
pub mod schedule_firer;

/// The README's Rust, as a documentation test.
#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
pub struct Readme;
