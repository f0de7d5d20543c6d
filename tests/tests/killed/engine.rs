//! An embedded engine that is killed and started again, twenty times in the middle of a thousand runs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    env,
    path::Path,
    sync::Arc,
    time::Duration,
};

use dacapo::{Client, Definition, Id, ListFilter, State, Timestamp, prelude::*};
use dacapo_core::port::{Clock, SystemClock};
use dacapo_domain::Manifest;
use dacapo_local::{
    engine::{Engine, EngineLoop, InProcess, Permits, WithConductor},
    sqlite::{Database, Durability},
};
use futures::future::join_all;

use crate::{FILE, file, lines_until_killed, say, this_test};

const RUNS: u32 = 1_000;
const KILLS: u32 = 20;
/// The time that passes between a kill and the next start: longer than a lease.
const LATER: Duration = minutes(10);
/// The variable for how often the engine was killed before.
const KILLED: &str = "DACAPO_TESTS_KILLED_BEFORE";

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");

/// The machine's clock, set ahead.
struct Ahead(Duration);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.0
    }

    fn random(&self) -> u64 {
        SystemClock.random()
    }
}

async fn count(left: u32, cx: TaskContext) -> Result<Outcome<u32, u32>, TaskError> {
    say("called", cx.run_id());
    tokio::time::sleep(Duration::from_millis(u64::from(left) + 1)).await;
    Ok(if left.is_multiple_of(4) { Done(left) } else { Continue(left - 1) })
}

fn open(file: &Path, killed: u32) -> Database {
    Database::open(file, Durability::Normal, Arc::new(Ahead(LATER * killed))).unwrap()
}

async fn finished(client: &Client) -> usize {
    let mut filter = ListFilter { state: Some(State::Completed), limit: 1_000, ..ListFilter::default() };
    let mut count = 0;
    loop {
        let page = client.list(filter.clone()).await.unwrap();
        count += page.runs.len();
        match page.cursor {
            Some(cursor) => filter.cursor = Some(cursor),
            None => return count,
        }
    }
}

/// The process that is killed: it starts the runs when it is new, and ends once all are completed.
#[tokio::test]
async fn works_until_it_is_killed() {
    let Some(file) = file() else { return };
    let killed = env::var(KILLED).unwrap().parse().unwrap();
    let database = open(&file, killed);
    let client = Client::new(database.ports());
    let definition =
        Definition::of(task(COUNT, count).retry(Retry::attempts(KILLS + 3).min(seconds(1)).max(seconds(1))));
    let entry = definition.describe("count").unwrap();
    let functions = HashMap::from([(entry.name.clone(), definition.handlers)]);
    let manifest = Manifest::new("killed", vec![entry]).unwrap();
    let invoke = WithConductor::new(database.ports(), Arc::new(InProcess::new(database.ports(), functions)));
    let engine = Arc::new(Engine::new(database, manifest, Arc::new(invoke), Arc::new(|report| eprintln!("{report}"))));
    engine.deploy().await.unwrap();
    if killed == 0 {
        for started in client.batch(COUNT, 0..RUNS).await.unwrap() {
            say("created", started.unwrap().id());
        }
    }
    let runs = client.list(ListFilter { limit: RUNS as usize, ..ListFilter::default() }).await.unwrap().runs;
    let ends = join_all(runs.into_iter().map(async |run| {
        let mut watch = client.watch(run.id);
        let ended = loop {
            let run = watch.next().await.unwrap();
            if run.state.is_final() {
                break run;
            }
        };
        assert_eq!(ended.state, State::Completed, "{ended:#?}");
        say("ended", run.id);
    }));
    let all = async { drop(ends.await) };
    EngineLoop::new(engine, Permits::default()).run(all, Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn thousand_runs_complete_once_each_through_twenty_kills_of_their_engine() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dev.sqlite");
    let (mut created, mut ended) = (BTreeSet::new(), BTreeMap::new());
    for killed in 0..=KILLS {
        let calls = if killed < KILLS { fastrand::usize(60..110) } else { usize::MAX };
        let mut process = this_test("engine::works_until_it_is_killed");
        let said = lines_until_killed(process.env(FILE, &file).env(KILLED, killed.to_string()), "called", calls);
        for line in &said {
            let Some((what, id)) = line.trim().split_once(' ') else { continue };
            let Ok(id) = id.parse::<Id>() else { continue };
            match what {
                "created" => drop(created.insert(id)),
                "ended" => drop(ended.entry(id).or_insert(killed)),
                // One that was told in an earlier life of the engine is over.
                "called" => assert!(ended.get(&id).is_none_or(|told| *told == killed), "{id} was called after its end"),
                _ => {}
            }
        }
    }
    assert_eq!(created.len(), RUNS as usize);
    assert_eq!(created, ended.into_keys().collect());
    assert_eq!(finished(&Client::new(open(&file, KILLS).ports())).await, RUNS as usize);
}
