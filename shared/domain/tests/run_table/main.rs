//! The table of runs, cell by cell: a case for each thing that an input may find.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod control;
mod debounce;
mod delivered;
mod execution;
mod lifecycle;
mod outcome;
mod park;
mod pause;
mod reconcile;
mod records;
mod report;
mod signal;
mod steps;
#[expect(dead_code, reason = "nothing deletes a run but its time")]
#[path = "../tape/mod.rs"]
mod tape;
mod wait_loop;

use dacapo_domain::{
    AttemptError, AttemptOutcome, Effect, Input, Invoker, Machine, NewRun, Phase, Progress, RecordedError, RetryHint,
    RunRecord, Task, limits,
    run::{
        ExecutionEnd, InputName, PhaseName,
        table::{Cell, cell, diagram},
    },
};
use tape::{Case, context, covers, ignores, play, walks};

fn cases() -> Vec<Case<RunRecord>> {
    let attempts = [delivered::cases(), outcome::cases(), report::cases(), steps::cases()];
    let loops = [wait_loop::cases(), execution::cases(), signal::cases(), pause::cases(), park::cases()];
    attempts
        .into_iter()
        .chain(loops)
        .chain([control::cases(), debounce::cases(), reconcile::cases(), lifecycle::cases()])
        .flatten()
        .collect()
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
            use InputName::{
                ChildrenAborted, EndHooksDone, Needed, Progressed, Reconciled, Signalled, Updated, WaitLoopAnswered,
            };
            let decision = run.decide(&records::sample(name, &run), Task::Removed, &context(5_000));
            if !matches!(
                name,
                ChildrenAborted
                    | Progressed
                    | Updated
                    | WaitLoopAnswered
                    | Signalled
                    | Needed
                    | Reconciled
                    | EndHooksDone
            ) {
                assert_eq!(decision, removed, "{name:?} of {run:?}");
            }
        }
    }
}

#[test]
fn text_of_a_run_too_long_for_its_record_is_cut_and_tells_its_full_size() {
    let (policy, words) = (records::once(), "é".repeat(250_000));
    let task = Task::Known(&policy);
    let after = |run: &RunRecord, input: &Input| run.decide(input, task, &context(10)).record;
    let ended = |outcome| after(&records::running(), &records::ended_with(&records::running(), outcome));
    let failed = RecordedError { code: words.clone(), message: words.clone(), stack: Some(words.clone()) };
    let done = ended(AttemptOutcome::Done { result: Err(words.clone()), message: Some(words.clone()) });
    let failed = ended(AttemptOutcome::Failed(AttemptError { error: failed, retry: RetryHint::Never }));
    let abort = Input::AbortRequested(words.clone());
    let progress = Progress { message: words.clone(), fraction: 0.5 };
    let token = records::running().lease().unwrap().token;
    let broken = Input::ExecutionEnded(1, ExecutionEnd::Failed(words));

    let end = |run: &RunRecord| {
        if let Phase::Ended(end) = &run.phase { end.clone() } else { panic!("{:?}", run.phase.name()) }
    };
    let error = |run: RunRecord| run.error.unwrap();
    let (code, stack) = (error(failed.clone()).code, error(failed.clone()).stack.unwrap());
    let cut = [
        (end(&done).message.unwrap(), limits::TEXT_BYTES),
        (end(&done).result_left_out.unwrap(), limits::TEXT_BYTES),
        (end(&after(&records::queued(), &abort)).message.unwrap(), limits::TEXT_BYTES),
        (after(&records::running(), &abort).abort().unwrap().to_owned(), limits::TEXT_BYTES),
        (after(&records::running(), &Input::Progressed(token, progress)).progress.unwrap().message, limits::TEXT_BYTES),
        (error(after(&records::waiting(), &broken)).message, limits::TEXT_BYTES),
        (error(failed).message, limits::TEXT_BYTES),
        (code, limits::CODE_BYTES),
        (stack, limits::STACK_BYTES),
    ];
    for (text, most) in cut {
        let told = text.ends_with(" bytes)") && text.contains("… (cut: 5000");
        assert!(
            told && text.len() <= most,
            "{} bytes: …{}",
            text.len(),
            text.chars().rev().take(30).collect::<String>()
        );
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
