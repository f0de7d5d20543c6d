//! The dashboard without JavaScript, over the test kit: one program of tests, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod browser;
mod deliveries;
mod doors;
mod pages;
mod queues;
mod sample;
mod walk;
mod writes;
