//! A process that is killed at a random moment loses nothing that was acknowledged.

#![expect(clippy::unwrap_used, reason = "these are tests: what fails ends them")]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use dacapo_core::port::{Clock, Created, Envelope, Payloads, Queues, Saved, Store, SystemClock};
use dacapo_domain::{DeliveryMessage, Id, Json, Message, NewRun, Run, State, Trigger};
use dacapo_local::sqlite::{Database, QueueSpec};
use futures::future::join_all;

/// Where the process that is killed finds its database; also what makes this binary that process.
const FILE: &str = "DACAPO_TESTS_KILLED_FILE";

/// How often a process is killed, on one file.
const ROUNDS: u32 = 5;

/// Callers that write at the same time.
const CALLERS: usize = 16;

fn new_run(clock: &impl Clock) -> Run {
    let id = clock.new_id();
    let new = NewRun {
        id,
        name: "task".to_owned(),
        due_at: clock.now(),
        trigger: Trigger::Run,
        parent_id: None,
        hops: 0,
        tags: vec![],
        key: Some(id.to_string()),
        schedule: None,
        ttl: None,
        execution: None,
    };
    Run::create(new, &clock.moment()).run
}

/// Says on standard output, in one write, that something was acknowledged.
fn say(what: &str, id: Id) {
    let line = format!("\n{what} {id}\n");
    std::io::stdout().write_all(line.as_bytes()).expect("somebody listens");
}

/// Creates runs, sends their messages and changes them, one after the other, for ever.
async fn write(database: Database) {
    loop {
        let run = new_run(&SystemClock);
        let body = Json::of(&run.id.to_string()).unwrap();
        let until = Some(run.created_at + Duration::from_secs(3_600));
        assert_eq!(database.create(&run, &body, until).await.unwrap(), Created::New);
        say("created", run.id);
        let message = Message::Delivery(DeliveryMessage { delivery: run.id.to_string(), attempt: 1 });
        database.send("task", &Envelope { message, delay: Duration::ZERO }).await.unwrap();
        say("sent", run.id);
        let next = Run { state: State::Completed, version: SystemClock.moment().version(), ..run.clone() };
        let saved = database.save(&run, &next, &Payloads { input: None, result: Some(body) }).await.unwrap();
        assert!(matches!(saved, Saved::Done(_)));
        say("completed", run.id);
    }
}

/// The process that is killed. As a test of its own it has nothing to do.
#[tokio::test]
async fn writes_until_it_is_killed() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let database = Database::open(Path::new(&file), Arc::new(SystemClock)).unwrap();
    join_all((0..CALLERS).map(|_| write(database.clone()))).await;
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
async fn everything_acknowledged_is_there_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dev.sqlite");
    let visibility = Duration::from_secs(3_600);
    let queue = QueueSpec { function: "task".to_owned(), visibility, max_receives: None, has_dead_letters: false };
    Database::open(&file, Arc::new(SystemClock)).unwrap().declare_queue(&queue).await.unwrap();
    let mut acknowledged = 0;

    for round in 1..=ROUNDS {
        let lines = lines_until_killed(&file, fastrand::usize(100..2_000));
        let said = |what: &str| -> BTreeSet<String> {
            lines.iter().filter_map(|line| Some(line.trim().strip_prefix(what)?.trim().to_owned())).collect()
        };
        let (created, sent, completed) = (said("created "), said("sent "), said("completed "));
        acknowledged += created.len() + sent.len() + completed.len();

        let database = Database::open(&file, Arc::new(SystemClock)).unwrap();
        for id in &created {
            let stored = database.load(id.parse().unwrap()).await.unwrap();
            let stored = stored.unwrap_or_else(|| panic!("round {round}: run {id} was created"));
            assert_eq!(stored.body, Some(Json::of(id).unwrap()));
            let rival = Run { key: Some(id.clone()), ..new_run(&SystemClock) };
            let holder = database.create(&rival, &Json::default(), None).await.unwrap();
            assert_eq!(holder, Created::Exists(stored.run), "round {round}: key and run are stored together");
        }
        for id in &completed {
            let stored = database.load(id.parse().unwrap()).await.unwrap().unwrap();
            assert_eq!(stored.run.state, State::Completed, "round {round}: run {id} was completed");
            assert_eq!(stored.result, stored.body, "round {round}: its result came with it");
        }
        let mut there = BTreeSet::new();
        loop {
            let received = database.receive("task", 1_000).await.unwrap();
            if received.is_empty() {
                break;
            }
            for received in received {
                let Ok(Message::Delivery(message)) = Message::from_text(&received.text) else { panic!("not ours") };
                assert!(there.insert(message.delivery), "round {round}: sent once, stored once");
            }
        }
        assert!(sent.is_subset(&there), "round {round}: {:?} was sent", sent.difference(&there).next());
    }

    assert!(acknowledged > 100, "only {acknowledged} writes were acknowledged: too few to say anything");
}
