//! The clock of a program whose machine goes wrong.

use dacapo_domain::until;
use jiff::Timestamp;

use crate::wire::{Wire, refusal};

const ANSWERED: &str = "Sat, 21 Nov 2020 19:00:58 GMT";

fn answered() -> Timestamp {
    "2020-11-21T19:00:58Z".parse().unwrap()
}

#[tokio::test]
async fn clock_asks_once_before_a_time_is_taken_from_it_that_is_stored() {
    let wire = Wire::dated(ANSWERED);
    let ports = wire.ports();
    ports.clock.synchronize().await.unwrap();
    ports.clock.synchronize().await.unwrap();
    assert_eq!(wire.operations(), ["GetItem"]);
    assert!(until(answered(), ports.clock.now()).as_secs() < 60, "{}", ports.clock.now());
}

#[tokio::test]
async fn clock_that_has_heard_of_a_refusal_asks_no_more() {
    let wire = Wire::dated(ANSWERED);
    let ports = wire.ports_with(|_, _| Some(refusal("AccessDeniedException")));
    ports.clock.synchronize().await.unwrap();
    ports.clock.synchronize().await.unwrap();
    assert_eq!(wire.operations(), ["GetItem"]);
    assert!(until(answered(), ports.clock.now()).as_secs() < 60, "{}", ports.clock.now());
}
