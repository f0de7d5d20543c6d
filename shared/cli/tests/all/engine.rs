//! A dev engine on a free port, with tasks and an event that no binary handles: runs that are due later stay as they
//! are.

use std::sync::mpsc;

use dacapo_domain::{FunctionEntry, Json, Policy, Retry, ScheduleEntry, Subscription, TaskEntry, cron, seconds};
use dacapo_local::{DevFunction, DevOptions, EngineLog};

use crate::dacapo::{Call, Said, call};

pub struct Engine {
    address: String,
    stop: Option<futures::channel::oneshot::Sender<()>>,
    _folder: tempfile::TempDir,
}

impl Engine {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let function = |entry: FunctionEntry| DevFunction { binary: folder.path().join(&entry.name), entry };
        let functions = vec![
            function(FunctionEntry::task("import-airports", 256, task("import-airports", false))),
            function(FunctionEntry::task("nightly-report", 256, task("nightly-report", true))),
            function(FunctionEntry::events("user-joined", 256, vec![subscription("user.joined")])),
        ];
        let mut options = DevOptions::new("sample", folder.path().join("engine.sqlite"), functions);
        options.port = 0;
        let (tell, told) = mpsc::channel();
        options.logs = std::sync::Arc::new(move |log| {
            if let EngineLog::Listening { address } = log {
                tell.send(address).unwrap();
            }
        });
        let (stop, stopped) = futures::channel::oneshot::channel();
        // Not joined: the engine gives running invocations ten seconds, and the test process needn't wait for them.
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let stopped = async { stopped.await.unwrap_or_default() };
            runtime.block_on(dacapo_local::dev_until(options, stopped)).unwrap();
        });
        Self { address: told.recv().unwrap(), stop: Some(stop), _folder: folder }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn call(&self, line: &str) -> Call {
        call(line).env("DACAPO_LOCAL", &self.address)
    }

    pub fn said(&self, line: &str) -> Said {
        self.call(line).said()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }
}

fn task(name: &str, private: bool) -> TaskEntry {
    let schedule = ScheduleEntry {
        name: format!("{name}-1"),
        schedule: cron("0 6 1 JAN ? *").timezone("Europe/Berlin"),
        body: Json::default(),
    };
    let schedules = if private { vec![schedule] } else { vec![] };
    TaskEntry { name: name.to_owned(), policy: Policy::default(), private, schedules }
}

fn subscription(event: &str) -> Subscription {
    let (event, handler) = (event.to_owned(), "user_joined::greet".to_owned());
    Subscription { event, handler, timeout: seconds(5), retry: Retry::default(), dead_letter: false }
}
