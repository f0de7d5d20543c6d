//! Interleavings that break naive versions, each produced on purpose.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod clock;
mod executions;
mod late_attempts;
mod tokens;

use dacapo::{Definition, Function};
use dacapo_core::{
    commit::{Stored, load},
    port::Ports,
    runner::Runner,
};
use dacapo_domain::{Machine, RecordKey};
use dacapo_test_kit::TestApp;

async fn read<M: Machine>(ports: &Ports, key: RecordKey) -> M {
    let Stored { record, .. } = load::<M>(ports, &key).await.unwrap().unwrap();
    record
}

/// A process of a function beside those of the app's engine. It dies where what it does is dropped.
fn process(app: &TestApp, name: &str, function: impl Function) -> Runner {
    Runner::new(Definition::of(function).handlers, app.client().ports().clone(), name)
}
