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
use dacapo::{Id, seconds};
use dacapo_tests::proxy::{Call, Proxy, Watch};
use futures::future::join_all;
use hyper::body::Bytes;
use witness::{Rounds, WITNESS};

use crate::app::App;

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
    let (calls, killed) = app
        .detour("witness", &proxy, async {
            let alive = app.witnessed(&killer, None).await;
            let calls = killer.watched()[&alive].calls.clone();
            let killed = join_all((0..calls.len()).map(|place| app.witnessed(&killer, Some(place)))).await;
            (calls, killed)
        })
        .await;

    let mut over = 0;
    for (place, id) in killed.into_iter().enumerate() {
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
        self.settled(id).await;
        id
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
