//! Random histories: the rules hold over every decision, and every record comes to its end.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod delivery;
mod delivery_ends;
mod never_taken;
mod other_kinds;
mod rules;
mod run;

use jiff::Timestamp;

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}
