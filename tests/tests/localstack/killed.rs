//! Processes that are killed, by `kill -9`, at each moment of a run's life.
//!
//! A proxy stands between the function and AWS: it lets a call be made and kills the caller before it hears the answer.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use axum::http::StatusCode;
use chaos::CHAOS;
use dacapo::{Id, RunView, lifecycle, seconds};
use dacapo_core::commit::load;
use dacapo_domain::{Phase, RunRecord};
use dacapo_tests::proxy::{Call, Proxy, Watch};
use futures::future::join_all;
use hyper::body::Bytes;
use witness::{Rounds, WITNESS};

use crate::app::{App, eventually, result};

/// The calls about each run, and after which of them its process is killed.
#[derive(Default)]
struct Killer(Mutex<BTreeMap<Id, Seen>>);

#[derive(Default)]
struct Seen {
    calls: Vec<String>,
    killed_after: Option<usize>,
    was_killed: bool,
    /// Is true once its end has been stored.
    is_over: bool,
}

#[tokio::test]
async fn process_that_is_killed_after_any_of_its_calls_loses_no_step_no_hook_and_no_lifecycle_event() {
    let app = App::deployed().await;
    let _witness = app.localstack.lock("witness").unwrap();
    let killer = Arc::new(Killer::default());
    let proxy = Proxy::start(&app.localstack.endpoint, killer.clone()).await.unwrap();
    let function = format!("{}-witness", app.localstack.prefix());
    app.lambda.set_variable(&function, "AWS_ENDPOINT_URL", proxy.address()).await.unwrap();

    let alive = app.witnessed(&killer, None).await;
    let calls = killer.watched()[&alive].calls.clone();
    let places = 0..calls.len();
    let killed = join_all(places.clone().map(|place| app.witnessed(&killer, Some(place)))).await;
    app.lambda.set_variable(&function, "AWS_ENDPOINT_URL", &app.localstack.endpoint).await.unwrap();

    let mut over = 0;
    for (id, place) in killed.into_iter().zip(places) {
        let moment = format!("killed after call {place} of {calls:?}");
        let attempt = app.has_lost_nothing(id, &moment).await;
        let watched = killer.watched();
        assert!(watched[&id].was_killed, "it was not {moment}");
        // Before its end is stored the attempt is made again; afterwards what follows the end is.
        assert_eq!(attempt == 1, watched[&id].is_over, "{moment}: ended in attempt {attempt}");
        over += usize::from(watched[&id].is_over);
    }
    assert!((1..calls.len()).contains(&over), "{over} of {calls:?} come after the end");
}

impl App {
    /// A run that has ended and owes nothing, whose process was killed after its n-th call.
    async fn witnessed(&self, killer: &Killer, killed_after: Option<usize>) -> Id {
        let id = self.client.run(WITNESS, Rounds::default()).after(seconds(10)).await.unwrap().id();
        killer.watched().insert(id, Seen { killed_after, ..Seen::default() });
        self.ended(id).await;
        eventually("the run owes nothing", || async {
            let stored = load::<RunRecord>(self.client.ports(), &RunRecord::key_of(id)).await.unwrap().unwrap();
            let run = stored.record;
            let Phase::Ended(end) = &run.phase else { panic!("{run:#?}") };
            if end.hooks_pending || !run.unpublished.is_empty() { Err(format!("{run:#?}")) } else { Ok(()) }
        })
        .await;
        id
    }

    /// Sees that the step has one value, that the hooks of the end ran in their order, and that both events came. Gives
    /// the attempt that ended the run.
    async fn has_lost_nothing(&self, id: Id, moment: &str) -> u32 {
        let record = self.client.state(id).await.unwrap();
        let mark = result::<witness::Seen>(&record).mark;
        let logs = self.client.logs(id).await.unwrap();
        let said: Vec<&str> = logs.iter().map(|entry| &*entry.message).collect();
        for entry in logs.iter().filter(|entry| entry.message != "on_complete") {
            let of_step: String = entry.data.as_ref().unwrap().parse().unwrap();
            assert_eq!(of_step, mark, "{moment}: {logs:#?}");
        }
        // A hook that was killed runs again; none is left out, and none comes before its turn.
        let mut once = said.clone();
        once.dedup();
        let again = ["called", "on_success", "on_complete"];
        assert!(again.iter().all(|hook| said.contains(hook)), "{moment}: {said:?}");
        assert_eq!(once.last(), Some(&"on_complete"), "{moment}: {said:?}");
        for event in [lifecycle::started(WITNESS), lifecycle::completed(WITNESS)] {
            eventually(&format!("{moment}: {} came", event.name()), || async {
                let heard = self.heard(id).await;
                if heard.iter().any(|run| run.tags[0] == event.name()) { Ok(()) } else { Err(format!("{heard:#?}")) }
            })
            .await;
        }
        record.attempt
    }

    /// The runs that the listener to the life of a run has left.
    async fn heard(&self, id: Id) -> Vec<RunView> {
        let mut runs = self.runs(CHAOS.name()).await;
        runs.retain(|run| run.tags.get(1).is_some_and(|about| *about == id.to_string()));
        runs
    }
}

impl Killer {
    fn watched(&self) -> MutexGuard<'_, BTreeMap<Id, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Watch for Killer {
    async fn answered(&self, call: &Call, _: StatusCode, _: &Bytes) {
        let sent = String::from_utf8_lossy(&call.sent);
        let mut watched = self.watched();
        let about = watched.iter_mut().find(|(id, _)| sent.contains(&id.to_string()));
        let Some((_, run)) = about.filter(|(_, run)| !run.was_killed) else { return };
        run.calls.push(call.operation.clone());
        run.is_over |= call.operation == "UpdateItem" && sent.contains("completed");
        if run.killed_after == Some(run.calls.len() - 1) {
            run.was_killed = true;
            let killed = Command::new("kill").args(["-9", &process_of(call.from).to_string()]).status();
            assert!(killed.unwrap().success());
        }
    }
}

/// The process at the other end of a connection on this machine.
fn process_of(end: SocketAddr) -> u32 {
    let SocketAddr::V4(end) = end else { panic!("{end}") };
    let address = format!("{:08X}:{:04X}", u32::from_le_bytes(end.ip().octets()), end.port());
    let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
    let fields = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let socket = fields.into_iter().find(|fields| fields.get(1) == Some(&&*address)).unwrap()[9].to_owned();
    let socket = format!("socket:[{socket}]");
    let holds = |process: &u32| {
        let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|link| link.to_string_lossy() == socket))
    };
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(holds).unwrap()
}
