//! The options that go wrong, and a start and an end in peace.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{fs, path::Path, sync::Mutex, time::Duration};

use dacapo_core::{commit::load, read_manifest};
use dacapo_domain::{
    Effect, Fire, Json, Message, Policy, Schedule, ScheduleEntry, ScheduleRecord, TaskEntry, cron, every,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc::unbounded_channel, oneshot},
};

use super::*;
use crate::{engine_log::EngineLog, process::tests::write_binary};

type Tested = Result<(), Box<dyn std::error::Error>>;

#[tokio::test]
async fn a_port_in_use_is_named_with_the_option_that_helps() -> Tested {
    let taken = TcpListener::bind("127.0.0.1:0").await?;
    let directory = tempfile::tempdir()?;
    let mut options = DevOptions::new("shop", directory.path().join("local.db"), vec![]);
    options.port = taken.local_addr()?.port();
    let error = dev_until(options, std::future::pending()).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "port {} is in use (does `dacapo dev` run already? choose another port with `--port`)",
            taken.local_addr()?.port()
        )
    );
    Ok(())
}

#[tokio::test]
async fn it_tells_where_it_is_and_stops_when_told() -> Tested {
    let directory = tempfile::tempdir()?;
    let mut options = DevOptions::new("shop", directory.path().join("new/local.db"), vec![]);
    options.port = 0;
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    options.logs = Arc::new(move |report| {
        if let EngineLog::Listening { address } = report {
            assert!(address.starts_with("http://127.0.0.1:"), "{address}");
            stop.lock().unwrap().take().map(|stop| stop.send(()));
        }
    });
    dev_until(options, async { stopped.await.unwrap_or_default() }).await?;
    Ok(())
}

/// Serves functions until the test has what it wants; their processes end at once.
fn serve(database: &Path, functions: &[&FunctionEntry], is_part: bool, then: impl AsyncFnOnce(Ports)) -> Tested {
    let binary = |entry: &&FunctionEntry| DevFunction {
        entry: (*entry).clone(),
        binary: "/usr/bin/true".into(),
        variables: BTreeMap::new(),
    };
    let mut options = DevOptions::new("shop", database.to_owned(), functions.iter().map(binary).collect());
    (options.port, options.is_part) = (0, is_part);
    let (tell, told) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    options.logs = Arc::new(move |log| {
        if let EngineLog::Listening { address } = log {
            tell.lock().unwrap().take().map(|tell| tell.send(address));
        }
    });
    let stop = async { then(crate::client::connect(&told.await.unwrap_or_default())).await };
    // Ends with all that it started, as a process does: the file is free then.
    Ok(tokio::runtime::Runtime::new()?.block_on(dev_until(options, stop))?)
}

/// The time since when the schedule of the tests' function counts, where it is remembered.
async fn weekly(ports: &Ports) -> Option<jiff::Timestamp> {
    let stored = load::<ScheduleRecord>(ports, &ScheduleRecord::key_of("report-1")).await.unwrap();
    stored.map(|stored| stored.record.created_at)
}

#[test]
fn functions_that_are_not_asked_for_stay_as_they_are() -> Tested {
    let directory = tempfile::tempdir()?;
    let database = directory.path().join("local.db");
    let task = |name: &str, schedules| TaskEntry {
        name: name.to_owned(),
        policy: Policy::default(),
        private: false,
        may_continue: true,
        schedules,
    };
    let schedule = ScheduleEntry { name: "report-1".to_owned(), schedule: every("7 days"), body: Json::default() };
    let report = FunctionEntry::task("report", 128, task("report", vec![schedule]));
    let greet = FunctionEntry::task("greet", 128, task("greet", vec![]));
    let mut made = None;
    serve(&database, &[&report, &greet], false, async |ports| {
        let message = Message::Fire(Fire { schedule: "other".to_owned(), time: ports.clock.now() }).to_json();
        let send = Effect::Send { to: "report".to_owned(), message, delay: Duration::from_secs(900) };
        ports.outbox.post(&send).await.unwrap();
        made = weekly(&ports).await;
    })?;
    assert!(made.is_some());

    serve(&database, &[&greet], true, async |ports| {
        let (_, manifest) = read_manifest(&ports).await.unwrap().unwrap();
        let names: Vec<_> = manifest.tasks().map(|(_, task)| task.name.as_str()).collect();
        assert_eq!(names, ["greet", "report"], "its runs don't end as those of a task that was removed");
        assert!(ports.probe.has_backlog("report").await.is_ok(), "its queue is there");
        assert_eq!(weekly(&ports).await, made, "its schedule is not made anew");
    })?;

    serve(&database, &[&report, &greet], true, async |ports| assert_eq!(weekly(&ports).await, made))?;
    serve(&database, &[&greet], false, async |ports| assert_eq!(weekly(&ports).await, None, "it was removed"))
}

#[test]
fn functions_with_a_schedule_that_never_fires_again_are_refused_and_the_former_ones_stay() -> Tested {
    let directory = tempfile::tempdir()?;
    let database = directory.path().join("local.db");
    let report = |schedule: Schedule| {
        let schedules = vec![ScheduleEntry { name: "report-1".to_owned(), schedule, body: Json::default() }];
        let task = TaskEntry {
            name: "report".to_owned(),
            policy: Policy::default(),
            private: false,
            may_continue: true,
            schedules,
        };
        DevFunction {
            entry: FunctionEntry::task("report", 128, task),
            binary: "/usr/bin/true".into(),
            variables: BTreeMap::new(),
        }
    };
    let why = "task \"report\": schedule \"0 0 1 1 ? 1999\" in UTC: it never fires after 20";
    let past = DevFunction { binary: "/usr/bin/false".into(), ..report(cron("0 0 1 1 ? 1999")) };
    let started = serve(&database, &[&past.entry], false, async |_| unreachable!("it is refused"));
    let error = started.unwrap_err().to_string();
    assert!(error.contains(why), "{error}");

    let mut options = DevOptions::new("shop", database, vec![report(every("7 days"))]);
    options.port = 0;
    let (change, changes) = tokio::sync::mpsc::unbounded_channel();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    options.changes = Some(changes);
    options.logs = Arc::new(move |log| tell.send(log).unwrap_or_default());
    let mut first = async |choose: fn(EngineLog) -> Option<String>| loop {
        if let Some(found) = choose(told.recv().await.unwrap()) {
            return found;
        }
    };
    let stop = async {
        change.send(vec![past]).unwrap();
        let address = first(|log| if let EngineLog::Listening { address } = log { Some(address) } else { None }).await;
        let note = first(|log| if let EngineLog::Note(note) = log { Some(note) } else { None }).await;
        assert!(note.contains("failed to deploy the functions as they are now") && note.contains(why), "{note}");

        let ports = crate::client::connect(&address);
        let (_, manifest) = read_manifest(&ports).await.unwrap().unwrap();
        assert_eq!(manifest.schedule("report-1").unwrap().2.schedule, every("7 days"));
        let fire = Fire { schedule: "report-1".to_owned(), time: ports.clock.now() };
        let message = Message::Fire(fire).to_json();
        let send = Effect::Send { to: "report".to_owned(), message, delay: Duration::ZERO };
        ports.outbox.post(&send).await.unwrap();
        let how = first(|log| if let EngineLog::Crashed { how, .. } = log { Some(how) } else { None }).await;
        assert!(how.contains("exit status: 0"), "it is the former binary that runs: {how}");
    };
    Ok(tokio::runtime::Runtime::new()?.block_on(dev_until(options, stop))?)
}

/// Sends a request, whose answer ends its connection.
async fn request(address: &str, line: &str, body: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let text =
        format!("{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    connection.write_all(text.as_bytes()).await.unwrap();
    connection
}

/// The JSON that a request is answered with.
async fn answer(mut connection: TcpStream) -> Value {
    let mut text = String::new();
    connection.read_to_string(&mut text).await.unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn handler_goes_on_in_its_process_where_its_caller_goes_away() -> Tested {
    let directory = tempfile::tempdir()?;
    let (binary, place) = (directory.path().join("greet"), directory.path().join("meeting"));
    write_binary(&binary, "")?;
    fs::create_dir(&place)?;
    let task = TaskEntry {
        name: "greet".to_owned(),
        policy: Policy::default(),
        private: false,
        may_continue: true,
        schedules: vec![],
    };
    let greet = DevFunction { entry: FunctionEntry::task("greet", 128, task), binary, variables: BTreeMap::new() };
    let mut options = DevOptions::new("shop", directory.path().join("local.db"), vec![greet]);
    (options.port, options.processes) = (0, 1);
    let (tell, mut told) = unbounded_channel();
    options.logs = Arc::new(move |log| tell.send(log).unwrap_or_default());
    let stop = async {
        let address = loop {
            if let EngineLog::Listening { address } = told.recv().await.unwrap() {
                break address.replace("http://", "");
            }
        };
        let invoke = async |payload: Value| {
            request(&address, "POST /2015-03-31/functions/greet/invocations", &payload.to_string()).await
        };
        let caller = invoke(json!({ "do": "meet", "at": place })).await;
        let pid = loop {
            if let Some(met) = fs::read_dir(&place).unwrap().next() {
                break met.unwrap().file_name();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        drop(caller);
        for _ in 0..20 {
            answer(request(&address, "GET /about", "").await).await; // The engine hears of the hang-up before these.
        }
        fs::write(place.join("the other"), "").unwrap();
        let next = answer(invoke(json!({ "do": "echo" })).await).await;
        assert_eq!(next["pid"].to_string(), pid.to_string_lossy(), "the same process takes the next invocation");
    };
    tokio::runtime::Runtime::new()?
        .block_on(async { tokio::time::timeout(Duration::from_secs(60), dev_until(options, stop)).await })??;
    Ok(())
}
