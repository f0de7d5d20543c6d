//! A store whose process is killed, or whose disk is full, loses nothing that was acknowledged.

use std::{collections::BTreeSet, path::Path, process::Command, sync::Arc, time::Duration};

use dacapo_core::{
    commit::{Creation, Seen, commit, create_run, load},
    port::{Clock, PortResult, Ports, SystemClock},
};
use dacapo_domain::{
    AttemptEnd, AttemptOutcome, Decision, Input, Json, Message, NewRun, Payload, Policy, RunRecord, State, Task,
    Trigger, Version, run::Key, slot,
};
use dacapo_local::sqlite::{Database, Durability, QueueSpec};
use futures::future::try_join_all;

use crate::{FILE, file, lines_until_killed, say, this_test};

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

/// Creates runs, whose messages are sent with them, and completes them, one after the other, until that fails.
async fn write(ports: Ports) -> PortResult<()> {
    let policy = Policy::default();
    let task = Task::Known(&policy);
    loop {
        // What can't be stored is tried again for so long.
        let until = SystemClock.now() + Duration::from_secs(10);
        let decision = new_run(None);
        let (run, body) = (decision.record.clone(), Json::of(&decision.record.id).unwrap());
        assert!(matches!(create_run(&ports, &decision, until).await?, Creation::New));
        say("created", run.id);
        let (id, delivered) = (run.id, Input::Delivered(run.purpose()));
        let taken = commit(&ports, Seen::Stored(run), &delivered, task, until).await?.unwrap().record;
        let token = taken.lease().map_or(Version(0), |lease| lease.token);
        let outcome = AttemptOutcome::Done { result: Ok(body), message: None };
        let ended = Input::AttemptEnded(AttemptEnd::new(token, outcome, Duration::ZERO));
        assert!(commit(&ports, Seen::Stored(taken), &ended, task, until).await?.unwrap().changed);
        say("completed", id);
    }
}

/// The process that is killed. As a test of its own it has nothing to do.
#[tokio::test]
async fn writes_until_it_is_killed() {
    let Some(file) = file() else { return };
    let database = Database::open(&file, Durability::Normal, Arc::new(SystemClock)).unwrap();
    let Err(error) = try_join_all((0..CALLERS).map(|_| write(database.ports()))).await else { return };
    say("failed", error);
}

/// A new database with the queue of the task.
async fn new_database(file: &Path) {
    let visibility = Duration::from_secs(3_600);
    let queue = QueueSpec { function: "task".to_owned(), visibility, max_receives: None, has_dead_letters: false };
    Database::open(file, Durability::Normal, Arc::new(SystemClock)).unwrap().declare_queue(&queue).await.unwrap();
}

/// A disk with no room for a file beyond so many blocks of 512 bytes, as the kernel counts them.
#[cfg(unix)]
const BLOCKS: u32 = 20_000;

#[cfg(unix)]
#[tokio::test]
async fn disk_that_is_full_is_told_with_the_remedy_and_what_was_acknowledged_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dev.sqlite");
    new_database(&file).await;
    let test = this_test("store::writes_until_it_is_killed");
    let mut limited = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$@\"");
    limited.args(["-c", &script, "sh"]).arg(test.get_program()).args(test.get_args()).env(FILE, &file);
    let lines = lines_until_killed(&mut limited, "", usize::MAX);

    let told = lines.iter().find_map(|line| line.strip_prefix("failed ")).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(told.contains("dev.sqlite: ") && told.contains("disk"), "{told}");
    let database = Database::open(&file, Durability::Normal, Arc::new(SystemClock)).unwrap();
    let created: Vec<&str> = lines.iter().filter_map(|line| line.trim().strip_prefix("created ")).collect();
    assert!(created.len() > 100, "only {} were created", created.len());
    for id in created {
        let key = RunRecord::key_of(id.parse().unwrap());
        assert!(load::<RunRecord>(&database.ports(), &key).await.unwrap().is_some(), "run {id} was created");
    }
}

#[tokio::test]
async fn write_that_was_acknowledged_is_there_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dev.sqlite");
    new_database(&file).await;
    let mut acknowledged = 0;

    for round in 1..=ROUNDS {
        let mut process = this_test("store::writes_until_it_is_killed");
        let lines = lines_until_killed(process.env(FILE, &file), "", fastrand::usize(100..2_000));
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
