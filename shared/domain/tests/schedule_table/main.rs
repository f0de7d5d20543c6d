//! The table of schedules, cell by cell: a case for each thing that an input may find.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod cases;
mod records;
#[expect(dead_code, reason = "a schedule's body is no part of its decisions")]
#[path = "../tape/mod.rs"]
mod tape;

use cases::cases;
use dacapo_domain::schedule::{
    ScheduleInputName, SchedulePhaseName,
    table::{ScheduleCell, cell, diagram},
};
use records::{active, deleted, exclusive, fresh, paused, sample};
use tape::{covers, ignores, play, walks};

fn cells() -> impl Iterator<Item = (SchedulePhaseName, ScheduleInputName, ScheduleCell)> {
    let names = SchedulePhaseName::ALL.into_iter().flat_map(|phase| ScheduleInputName::ALL.map(|input| (phase, input)));
    names.map(|(phase, input)| (phase, input, cell(phase, input)))
}

#[test]
fn schedule_of_every_case_is_decided_as_told() {
    play(cases());
}

#[test]
fn cell_of_a_schedule_that_does_something_has_a_case() {
    let does = cells().filter(|(.., cell)| matches!(cell, ScheduleCell::Does(_)));
    covers(&cases(), does.map(|(phase, input, _)| (format!("{phase:?}"), format!("{input:?}"))));
}

#[test]
fn cell_of_a_schedule_that_is_ignored_changes_nothing_and_says_why() {
    for (phase, input, cell) in cells() {
        let ScheduleCell::Ignored(reason) = cell else { continue };
        let found = [fresh(), active(), paused(), exclusive(), deleted()]
            .into_iter()
            .filter(|schedule| schedule.phase() == phase);
        for schedule in found {
            ignores(&schedule, &sample(input), (), reason);
        }
    }
}

#[test]
fn arrow_of_the_diagram_of_schedules_is_walked_by_a_case() {
    walks(&cases(), &diagram());
}

/// The picture as `ARCHITECTURE.md` shows it.
#[test]
fn diagram_of_schedules_labels_an_arrow_with_all_its_inputs() {
    let expected = "\
stateDiagram-v2
    [*] --> Active
    Active --> Active: Put, Scheduled, Reconciled, Declared, Fired, Missed, Unscheduled
    Active --> Paused: Paused
    Active --> Deleted: Used, Deleted
    Active --> [*]: Deleted
    Paused --> Paused: Put, Scheduled, Reconciled, Declared, Fired, Missed, Unscheduled
    Paused --> Active: Resumed
    Paused --> Deleted: Used, Deleted
    Paused --> [*]: Deleted
    Deleted --> Active: Put, Declared
    Deleted --> Deleted: Reconciled, Deleted
    Deleted --> [*]: Unscheduled
";
    assert_eq!(diagram(), expected);
}
