//! A process that is killed at a random moment loses nothing that was acknowledged.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "these are tests: what fails ends them")]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use dacapo_core::{
    commit::{Creation, Seen, commit, create_run, load},
    port::{Clock, Ports, SystemClock},
};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Decision, Id, Input, Json, Message, NewRun, Payload, Policy, RunRecord, State, Task,
    Trigger, Version, run::Key, slot,
};
use dacapo_local::sqlite::{Database, Durability, QueueSpec};
use futures::future::join_all;

/// The variable for the database of the process that is killed; also what makes this binary that process.
const FILE: &str = "DACAPO_TESTS_KILLED_FILE";

/// The number of kills, on one file.
const ROUNDS: u32 = 5;

/// Callers that write at the same time.
const CALLERS: usize = 16;

/// A new run whose key is its id, or another's.
fn new_run(key: Option<String>) -> Decision<RunRecord> {
    let (id, now) = (SystemClock.new_id(), SystemClock.now());
    let text = key.unwrap_or_else(|| id.to_string());
    let key = Key { text, until: now + Duration::from_secs(3_600), debounce: None };
    let new = NewRun { key: Some(key), ..NewRun::at(id, "task", now, Trigger::Run) };
    RunRecord::create(new, &SystemClock.decision_context()).with(slot::BODY, Json::of(&id).unwrap())
}

/// Says on standard output, in one write, that something was acknowledged.
fn say(what: &str, id: Id) {
    let line = format!("\n{what} {id}\n");
    std::io::stdout().write_all(line.as_bytes()).expect("somebody listens");
}

/// Creates runs, whose messages are sent with them, and completes them, one after the other, for ever.
async fn write(ports: Ports) {
    let (policy, until) = (Policy::default(), SystemClock.now() + Duration::from_secs(3_600));
    let task = Task::Known(&policy);
    loop {
        let decision = new_run(None);
        let (run, body) = (decision.record.clone(), Json::of(&decision.record.id).unwrap());
        assert!(matches!(create_run(&ports, &decision, until).await.unwrap(), Creation::New));
        say("created", run.id);
        let (id, delivered) = (run.id, Input::Delivered(run.purpose()));
        let taken = commit(&ports, Seen::Stored(run), &delivered, task, until).await.unwrap().unwrap().record;
        let token = taken.lease().map_or(Version(0), |lease| lease.token);
        let outcome = AttemptOutcome::Done { result: Ok(body), message: None };
        let ended = Input::AttemptEnded(AttemptEnd::new(token, outcome, Duration::ZERO));
        assert!(commit(&ports, Seen::Stored(taken), &ended, task, until).await.unwrap().unwrap().changed);
        say("completed", id);
    }
}

/// The process that is killed. As a test of its own it has nothing to do.
#[tokio::test]
async fn writes_until_it_is_killed() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let database = Database::open(Path::new(&file), Durability::Normal, Arc::new(SystemClock)).unwrap();
    join_all((0..CALLERS).map(|_| write(database.ports()))).await;
}

/// Starts the process, kills it once it has said so many lines, and gives all that it said.
fn lines_until_killed(file: &Path, count: usize) -> Vec<String> {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_it_is_killed", "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let (mut lines, mut line) = (vec![], String::new());
    // A last line without its end was not said.
    while output.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        lines.push(std::mem::take(&mut line));
        if lines.len() == count {
            process.kill().unwrap(); // SIGKILL
        }
    }
    process.wait().unwrap();
    lines
}

#[tokio::test]
async fn write_that_was_acknowledged_is_there_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dev.sqlite");
    let visibility = Duration::from_secs(3_600);
    let queue = QueueSpec { function: "task".to_owned(), visibility, max_receives: None, has_dead_letters: false };
    Database::open(&file, Durability::Normal, Arc::new(SystemClock)).unwrap().declare_queue(&queue).await.unwrap();
    let mut acknowledged = 0;

    for round in 1..=ROUNDS {
        let lines = lines_until_killed(&file, fastrand::usize(100..2_000));
        let said = |what: &str| -> BTreeSet<String> {
            lines.iter().filter_map(|line| Some(line.trim().strip_prefix(what)?.trim().to_owned())).collect()
        };
        let (created, completed) = (said("created "), said("completed "));
        acknowledged += created.len() + completed.len();

        let database = Database::open(&file, Durability::Normal, Arc::new(SystemClock)).unwrap();
        let ports = database.ports();
        for id in &created {
            let stored = load::<RunRecord>(&ports, &RunRecord::key_of(id.parse().unwrap())).await.unwrap();
            let stored = stored.unwrap_or_else(|| panic!("round {round}: run {id} was created"));
            assert_eq!(stored.payloads.get(slot::BODY), Payload::Here(&Json::of(id).unwrap()));
            if stored.record.state_at(SystemClock.now()) == State::Failed {
                continue; // Its key is free.
            }
            let rival = new_run(Some(id.clone()));
            let Creation::Exists(holder) = create_run(&ports, &rival, SystemClock.now()).await.unwrap() else {
                panic!("round {round}: key and run {id} are stored together");
            };
            assert_eq!(holder.id, stored.record.id, "round {round}: the key is its own");
        }
        for id in &completed {
            let key = RunRecord::key_of(id.parse().unwrap());
            let stored = load::<RunRecord>(&ports, &key).await.unwrap().unwrap();
            let state = stored.record.state_at(SystemClock.now());
            assert_eq!(state, State::Completed, "round {round}: run {id} was completed");
            let payloads = stored.payloads;
            assert_eq!(payloads.get(slot::RESULT), payloads.get(slot::BODY), "round {round}: its result came with it");
        }
        let mut there = BTreeSet::new();
        loop {
            let received = database.receive("task", 1_000).await.unwrap();
            if received.is_empty() {
                break;
            }
            for received in received {
                let Ok(Message::Run(message)) = Message::from_text(&received.text) else { panic!("not ours") };
                assert!(there.insert(message.run.to_string()), "round {round}: sent once, stored once");
            }
        }
        let unsent = created.difference(&there).next();
        assert_eq!(unsent, None, "round {round}: its message is stored with it");
    }

    assert!(acknowledged > 100, "only {acknowledged} writes were acknowledged: too few to say anything");
}
