//! The table of runs, cell by cell: a case for each thing that an input may find.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod control;
mod delivered;
mod execution;
mod outcome;
mod reconcile;
mod records;
mod report;
#[expect(dead_code, reason = "nothing deletes a run but its time")]
#[path = "../tape/mod.rs"]
mod tape;
mod wait_loop;

use dacapo_domain::{
    Effect, Input, Invoker, Machine, NewRun, RunRecord, Task,
    run::{
        InputName, PhaseName,
        table::{Cell, cell, diagram},
    },
};
use tape::{Case, context, covers, ignores, play, walks};

fn cases() -> Vec<Case<RunRecord>> {
    let attempts = [delivered::cases(), outcome::cases(), report::cases()];
    let loops = [wait_loop::cases(), execution::cases()];
    attempts.into_iter().chain(loops).chain([control::cases(), reconcile::cases()]).flatten().collect()
}

fn cells() -> impl Iterator<Item = (PhaseName, InputName, Cell)> {
    let names = PhaseName::ALL.into_iter().flat_map(|phase| InputName::ALL.map(|input| (phase, input)));
    names.map(|(phase, input)| (phase, input, cell(phase, input)))
}

#[test]
fn run_of_every_case_is_decided_as_told() {
    play(cases());
}

#[test]
fn cell_of_a_run_that_does_something_has_a_case() {
    let does = cells().filter(|(.., cell)| matches!(cell, Cell::Does(_)));
    covers(&cases(), does.map(|(phase, input, _)| (format!("{phase:?}"), format!("{input:?}"))));
}

#[test]
fn cell_of_a_run_that_is_ignored_changes_nothing_and_says_why() {
    let policy = records::hooks();
    for (phase, input, cell) in cells() {
        let Cell::Ignored(reason) = cell else { continue };
        let found: Vec<_> = records::all().into_iter().filter(|run| run.phase.name() == phase).collect();
        assert!(!found.is_empty(), "no run is {phase:?}");
        for run in found {
            ignores(&run, &records::sample(input, &run), Task::Known(&policy), reason);
        }
    }
}

#[test]
fn arrow_of_the_diagram_of_runs_is_walked_by_a_case() {
    walks(&cases(), &diagram());
}

#[test]
fn input_of_a_run_whose_task_was_removed_counts_as_its_removal() {
    for run in records::all() {
        let removed = run.decide(&Input::TaskRemoved, Task::Removed, &context(5_000));
        for name in InputName::ALL {
            use InputName::{EndHooksDone, Progressed, Reconciled, WaitLoopAnswered};
            let decision = run.decide(&records::sample(name, &run), Task::Removed, &context(5_000));
            if !matches!(name, Progressed | WaitLoopAnswered | Reconciled | EndHooksDone) {
                assert_eq!(decision, removed, "{name:?} of {run:?}");
            }
        }
    }
}

/// A run is created with what brings it to its function, or with nothing where an execution is there already.
#[test]
fn run_is_created_with_what_brings_it_to_its_function() {
    let create = |new| RunRecord::create(new, &context(0));
    let names = |effects: &[Effect]| effects.iter().map(|effect| format!("{effect:?}")).collect::<String>();
    assert!(names(&create(records::new(0)).effects).starts_with("Send {"));
    assert!(names(&create(records::new(900)).effects).starts_with("Send {"));
    assert!(names(&create(records::new(901)).effects).starts_with("SendAt {"));
    let direct = create(NewRun { execution: Some("by-hand".to_owned()), ..records::new(0) });
    assert_eq!((direct.effects.len(), direct.record.invoker.is_queue()), (0, false));
    assert_eq!(direct.record.execution_name(), "by-hand");
    let renewed = Invoker::WaitLoop { generation: 2, execution: None };
    let renewed = RunRecord { invoker: renewed, ..direct.record };
    assert_eq!(renewed.execution_name(), format!("{}-2", renewed.id));
}
