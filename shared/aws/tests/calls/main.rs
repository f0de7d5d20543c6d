//! The calls of AWS and the meaning of their answers, over a wire that this test holds the other end of.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod claim;
mod clock;
mod create;
mod delete;
mod expire;
mod gather;
mod join;
mod log;
mod outbox;
mod permits;
mod places;
mod price;
mod query;
mod save;
mod sheep;
mod table;
mod wire;
