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
<<<<<<< HEAD
mod places;
=======
mod permits;
>>>>>>> d473f7f ([aws, samples, tests] Permits counted in calls; pages are validated four at a time, and on LocalStack too)
mod price;
mod query;
mod save;
mod sheep;
mod table;
mod wire;
