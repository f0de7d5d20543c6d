//! Bad input at every door, and the exact refusal of each: one table, a group a file, under `snapshots/`. What the
//! command line and the files of `new` refuse is its last group, `shared/cli/tests/all/refused.rs`, where the program is.
//!
//! A client, a queue and an address are asked twice: over the embedded engine, and over the AWS adapter on a wire in
//! memory. Both say the same, and neither stores anything. `INSTA_UPDATE=always` writes the table anew; read the
//! difference: a refusal says what was given, what is allowed, and what to do.
//!
//! Every form of a time, an interval and a cron expression is in `shared/domain/tests/{when,every,cron}_*.rs`; here is
//! one of each kind, as it comes through the doors.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod bodies;
mod both;
mod dashboard;
mod declared;
mod engine;
mod messages;
mod names;
mod payloads;
mod rows;
mod starts;
mod times;

// The other end of AWS's wire, as the adapter's own tests hold it.
#[expect(dead_code, reason = "what is asked in vain needs no look into the table")]
#[path = "../../../shared/aws/tests/calls/table.rs"]
mod table;
#[expect(dead_code, reason = "no call is answered by a rule here")]
#[path = "../../../shared/aws/tests/calls/wire.rs"]
mod wire;
