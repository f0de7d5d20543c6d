//! The table of deliveries, cell by cell: a case for each thing that an input may find.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod attempts;
mod handlers;
mod records;
#[expect(dead_code, reason = "no input of a delivery brings a payload or moves an expiry")]
#[path = "../tape/mod.rs"]
mod tape;
mod upkeep;

use dacapo_domain::{
    DeliveryInput, DeliveryRecord, Machine,
    delivery::{
        DeliveryInputName, DeliveryPhaseName,
        table::{DeliveryCell, cell, diagram},
    },
};
use tape::{Case, context, covers, driven, ignores, play, walks};

fn cases() -> Vec<Case<DeliveryRecord>> {
    [attempts::cases(), handlers::cases(), upkeep::cases()].into_iter().flatten().collect()
}

fn cells() -> impl Iterator<Item = (DeliveryPhaseName, DeliveryInputName, DeliveryCell)> {
    let names = DeliveryPhaseName::ALL.into_iter().flat_map(|phase| DeliveryInputName::ALL.map(|input| (phase, input)));
    names.map(|(phase, input)| (phase, input, cell(phase, input)))
}

#[test]
fn delivery_of_every_case_is_decided_as_told() {
    play(cases());
}

#[test]
fn cell_of_a_delivery_that_does_something_has_a_case() {
    let does = cells().filter(|(.., cell)| matches!(cell, DeliveryCell::Does(_)));
    covers(&cases(), does.map(|(phase, input, _)| (format!("{phase:?}"), format!("{input:?}"))));
}

#[test]
fn cell_of_a_delivery_that_is_ignored_changes_nothing_and_says_why() {
    let one = records::one();
    for (phase, input, cell) in cells() {
        let DeliveryCell::Ignored(reason) = cell else { continue };
        let found: Vec<_> = records::all().into_iter().filter(|delivery| delivery.phase.name() == phase).collect();
        assert!(!found.is_empty(), "no delivery is {phase:?}");
        for delivery in found {
            ignores(&delivery, &records::sample(input, &delivery), one.subscribed(), reason);
        }
    }
}

#[test]
fn arrow_of_the_diagram_of_deliveries_is_walked_by_a_case() {
    walks(&cases(), &diagram());
}

#[test]
fn delivery_taken_by_this_decision_bears_it_until_another_takes_it() {
    let one = records::one();
    let arrived = DeliveryInput::Arrived { attempt: 1 };
    let taken = records::fresh().decide(&arrived, one.subscribed(), &context(20)).record;
    assert!(taken.bears(&taken));
    let looked_after =
        driven(&taken, 50, &DeliveryInput::Reconciled(dacapo_domain::DeliveryFacts::Backlog), one.subscribed());
    assert!(looked_after.bears(&taken) && looked_after != taken);
    let crashed = driven(&taken, 90, &arrived, one.subscribed());
    assert!(!crashed.bears(&taken));
    let other = records::fresh().decide(&arrived, one.subscribed(), &context(21)).record;
    assert!(!other.bears(&taken));
}
