//! The tables of the chapters against the code.

mod numbers;

use std::time::Duration;

use dacapo_domain::{DecisionContext, Id, NewRun, Payloads, Policy, RunRecord, WaitsFor, limits, run::table::moves};
use jiff::Timestamp;

use crate::{
    Definition, EventContext, EventRef, Machine, Retry, RunView, State, TaskContext, TaskRef, Trigger, code, days, on,
    seconds, task,
};

/// The cells of all rows of the tables under this heading line, in order.
fn rows(chapter: &str, heading: &str) -> Vec<Vec<String>> {
    let lines = chapter.lines().skip_while(|line| *line != heading).skip(2);
    let rows: Vec<Vec<String>> = lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "no table is headed {heading}");
    rows
}

/// A number as the chapters write it: `262,144`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

fn in_days(duration: Duration) -> u64 {
    duration.as_secs() / 86_400
}

const RESIZE: TaskRef<String> = TaskRef::new("resize");

async fn resize(_: String, _: TaskContext) -> Result<(), crate::TaskError> {
    Ok(())
}

#[test]
fn functions_chapter_has_the_defaults_of_a_task() {
    let definition = Definition::of(task(RESIZE, resize));
    let policy = Policy::default();
    assert_eq!((policy.retry, policy.max_duration, policy.ttl), (Retry::attempts(3), None, None));
    let told: Vec<(String, String)> = rows(include_str!("../functions.md"), "| option | default | meaning |")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let code = [
        ("`timeout`", format!("{} s", policy.timeout.as_secs())),
        ("`max_timeout`", format!("{} s", policy.max_timeout.as_secs())),
        ("`max_duration`", "none".to_owned()),
        ("`max_iterations`", policy.max_iterations.unwrap_or_default().to_string()),
        ("`retry`", format!("{} attempts", policy.retry.max_attempts())),
        ("`schedule`", "none".to_owned()),
        ("`ttl`", "none".to_owned()),
        ("`concurrency`, `rate_limit`, `queue`", "none".to_owned()),
        ("`memory`", format!("{} MB", definition.memory_mb)),
        (
            "`allow`, `environment`, `secret`, …",
            if definition.requires.is_empty() { "none" } else { "some" }.to_owned(),
        ),
        ("`batch`", policy.batch.to_string()),
        ("`when_exhausted`", if policy.pauses_when_exhausted { "pause" } else { "fail" }.to_owned()),
        ("`history`", format!("{} days", in_days(policy.history))),
        ("`private`", "off".to_owned()),
        ("hooks", "none".to_owned()),
    ];
    assert_eq!(told, code.map(|(option, default)| (option.to_owned(), default)));
}

#[test]
fn functions_chapter_has_the_sizes_of_the_presets() {
    use Machine::{Large1x, Medium1x, Medium2x, Micro, Small1x, Small2x};
    let told = rows(include_str!("../functions.md"), "| preset | memory |");
    let machines = [Micro, Small1x, Small2x, Medium1x, Medium2x, Large1x];
    assert_eq!(told.len(), machines.len());
    for (row, machine) in told.iter().zip(machines) {
        assert_eq!(row[0], format!("`Machine::{machine:?}`"));
        assert!(row[1].starts_with(&format!("{} MB", grouped(crate::Memory::from(machine).mb().into()))), "{row:?}");
    }
}

#[test]
fn events_chapter_has_the_defaults_and_the_number_of_handlers() {
    const JOINED: EventRef<String> = EventRef::new("user.joined");
    async fn joined(_: String, _: EventContext) -> Result<(), crate::TaskError> {
        Ok(())
    }
    let entry = |handlers| Definition::of(handlers).describe("user-joined").unwrap();
    let handler = || on(JOINED, joined);
    let subscription = &entry([handler()]).subscriptions()[0].clone();
    assert_eq!((subscription.timeout, subscription.dead_letter), (seconds(5), false));
    assert_eq!(subscription.retry, Retry::every(seconds(360)).age(days(14)));

    let many = |number: usize| match number {
        14 => Definition::of(std::array::from_fn::<_, 14, _>(|_| handler())).describe("user-joined"),
        _ => Definition::of(std::array::from_fn::<_, 15, _>(|_| handler())).describe("user-joined"),
    };
    assert!(many(14).is_ok() && many(15).is_err());
}

#[test]
fn states_chapter_has_every_move_of_the_state_machine() {
    let told: Vec<(String, String)> = rows(include_str!("../states.md"), "| state | is | next |")
        .into_iter()
        .map(|row| (row[0].clone(), row[2].clone()))
        .collect();
    let code: Vec<(String, String)> = moves()
        .into_iter()
        .map(|(state, next)| {
            let next: Vec<String> = next.iter().map(|state| format!("`{state}`")).collect();
            (format!("`{state}`"), if next.is_empty() { "–".to_owned() } else { next.join(", ") })
        })
        .collect();
    assert_eq!(told, code);
    assert!(State::ALL.iter().all(|state| state.is_final() == (told[*state as usize].1 == "–")));
}

#[test]
fn states_chapter_has_every_field_of_the_record() {
    let id = Id::new(Timestamp::UNIX_EPOCH, 1);
    let cx = DecisionContext { now: Timestamp::UNIX_EPOCH, random: 1 };
    let run = RunRecord::create(NewRun::at(id, RESIZE.name(), cx.now, Trigger::Run), &cx).record;
    let waits_for = Some(WaitsFor::Time(cx.now));
    let view = RunView { waits_for, ..RunView::new(&run, Payloads::none(), cx.now) };
    let view = serde_json::to_value(view).unwrap();
    let mut code: Vec<String> = view.as_object().unwrap().keys().map(|field| format!("`{field}`")).collect();
    let mut told: Vec<String> =
        rows(include_str!("../states.md"), "| field | meaning |").into_iter().map(|row| row[0].clone()).collect();
    code.sort();
    told.sort();
    assert_eq!(told, code);
}

#[test]
fn other_chapters_have_the_numbers_of_the_code() {
    let bytes = format!("at most {} bytes", grouped(limits::MESSAGE_BYTES as u64));
    let (log_kib, log_mib) = (limits::LOG_ENTRY_BYTES / 1_024, limits::LOG_BYTES / 1_024 / 1_024);
    let in_minutes = |duration: Duration| duration.as_secs() / 60;
    let runs = [
        bytes.clone(),
        format!("1 to {} characters", limits::KEY_CHARS),
        format!("up to {} tags of 1 to {} characters", limits::TAGS, limits::TAG_CHARS),
        format!("kept for {} days", in_days(limits::KEY_LIFE)),
        format!("within {} minutes form a chain; past {}", in_minutes(limits::HOP_WINDOW), limits::HOPS),
        format!("up to {} runs", grouped(limits::BATCH as u64)),
    ];
    let handler = [
        bytes.replace("at most ", "at most\n"),
        format!("{} bytes", grouped(limits::RESULT_BYTES as u64)),
        format!("at most {log_kib} KiB"),
        format!(
            "at most {} entries\n  over all its attempts, and a run {log_mib} MiB",
            grouped(limits::LOG_ENTRIES.into())
        ),
        format!("1 s to {} days", in_days(limits::MAX_WAIT)),
    ];
    let functions = [
        format!("1 to {} characters", limits::TASK_NAME_CHARS),
        format!("1 to {} characters", limits::EVENT_NAME_CHARS),
        format!("longer than {}\n  bytes", limits::SLUG_BYTES),
        format!("1 s to {} min", in_minutes(limits::MAX_TIMEOUT)),
        format!("after {} s", grouped(limits::RUNNER_STOPS.as_secs())),
    ];
    let long_runs = [
        format!("1 second to {} days", in_days(limits::MAX_WAIT)),
        format!("({} by default)", Policy::default().max_iterations.unwrap_or_default()),
        format!("After {} rounds", grouped(limits::LOOP_ROUNDS.into())),
        format!("after {} events", grouped(limits::LOOP_EVENTS.into())),
        format!("fit into {} days", in_days(limits::LOOP_LIFE)),
    ];
    let guarantees = [
        format!("ends {} seconds", limits::LEASE_MARGIN.as_secs()),
        format!("from {} seconds", limits::LEASE_GRACE.as_secs()),
        format!("after {} minutes", in_minutes(limits::LOOP_GRACE)),
        format!("after\n{} seconds", limits::QUEUE_GRACE.as_secs()),
    ];
    let events = [
        bytes,
        format!("more than {} minutes ahead", in_minutes(limits::MAX_QUEUE_DELAY)),
        format!("1 s to {} s", limits::MAX_EVENT_TIMEOUT.as_secs()),
        format!("kept for {} days", in_days(limits::HISTORY)),
    ];
    let troubleshooting = [
        format!("up to {} minutes", in_minutes(limits::MAX_TIMEOUT)),
        format!("{} unless it says otherwise", Policy::default().max_iterations.unwrap_or_default()),
        format!("1 second to {} days", in_days(limits::MAX_WAIT)),
        format!("more than {} bytes", grouped(limits::MESSAGE_BYTES as u64)),
        format!("larger than {} bytes", grouped(limits::RESULT_BYTES as u64)),
    ];
    for (chapter, phrases) in [
        (include_str!("../runs.md"), &runs[..]),
        (include_str!("../handler.md"), &handler),
        (include_str!("../functions.md"), &functions),
        (include_str!("../long_runs.md"), &long_runs),
        (include_str!("../guarantees.md"), &guarantees),
        (include_str!("../events.md"), &events),
        (include_str!("../troubleshooting.md"), &troubleshooting),
    ] {
        for phrase in phrases {
            assert!(chapter.contains(phrase), "{phrase:?} is not in:\n{chapter}");
        }
    }
    assert_eq!(limits::WAIT_GRACE, days(1), "long_runs.md: at least once a day");
}

#[test]
fn troubleshooting_chapter_has_a_section_for_every_code_and_no_other() {
    let chapter = include_str!("../troubleshooting.md");
    let told: Vec<&str> = chapter.lines().filter_map(|line| line.strip_prefix("# `")?.strip_suffix('`')).collect();
    assert_eq!(told, code::ALL);
    for code in code::ALL {
        let section = crate::guide::about(&code.to_lowercase()).unwrap();
        assert!(section.lines().count() > 3 && section.matches("# `").count() == 1, "{section}");
    }
    assert_eq!(crate::guide::about("NO_RATE"), None);
}
