//! A dev engine on a free port, with tasks and an event that no binary handles: runs that are due later stay as they
//! are.

use std::{collections::BTreeMap, sync::mpsc};

use dacapo_core::{
    commit::{Seen, commit, create, create_run},
    port::{LogEntry, LogLevel, Ports},
};
use dacapo_domain::{
    AttemptError, DeliveryInput, DeliveryRecord, EventMessage, FunctionEntry, HandlerFailure, Json, Limit, Limits,
    NewRun, NewToken, Payloads, Policy, Progress, RecordedError, Retry, RunRecord, ScheduleEntry, Secret, Subscribed,
    Subscription, TaskEntry, TokenRecord, Trigger, cron, days, fired_run, seconds, slot,
};
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
        let function = |entry: FunctionEntry| DevFunction {
            binary: folder.path().join(&entry.name),
            entry,
            variables: BTreeMap::new(),
        };
        let functions = vec![
            function(FunctionEntry::task("import-airports", 256, task("import-airports", false))),
            function(FunctionEntry::task("nightly-report", 256, task("nightly-report", true))),
            function(FunctionEntry::task("resize-images", 256, limited())),
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

    /// The output of a call. Its own address, which differs from engine to engine, is `http://engine` on standard error.
    pub fn said(&self, line: &str) -> Said {
        let said = self.call(line).said();
        Said { err: said.err.replace(&self.address, "http://engine"), ..said }
    }

    /// Starts a run that is due in two days; gives its id.
    pub fn later(&self, line: &str) -> String {
        let started = self.said(&format!("run import-airports --local --when '2 days' --json {line}")).json();
        started["id"].as_str().unwrap().to_owned()
    }

    /// Lets a schedule fire, as its function would find it; gives the run's id.
    pub fn fires(&self, schedule: &str, task: &str) -> String {
        self.with_ports(async |ports| {
            let cx = ports.clock.decision_context();
            let made = RunRecord::create(fired_run(schedule, task, cx.now), &cx).with(slot::BODY, Json::default());
            create_run(ports, &made, cx.now + seconds(10)).await.unwrap();
            made.record.id.to_string()
        })
    }

    /// Stores a run that is due in two days and has failed before, with this text wherever one may be; gives its id.
    pub fn odd(&self, body: &str, text: &str) -> String {
        let body = Json::from_text(body).unwrap();
        self.with_ports(async |ports| {
            let cx = ports.clock.decision_context();
            let (id, due_at) = (ports.clock.new_id(), cx.now + days(2));
            let new = NewRun { tags: vec![text.to_owned()], ..NewRun::at(id, "import-airports", due_at, Trigger::Run) };
            let mut made = RunRecord::create(new, &cx).with(slot::BODY, body.clone());
            let mut error = RecordedError::new(text, text);
            error.stack = Some(text.to_owned());
            made.record.error = Some(error);
            made.record.progress = Some(Progress { message: text.to_owned(), fraction: 0.5 });
            let made = [slot::INPUT, slot::OUTPUT, slot::METADATA]
                .into_iter()
                .fold(made, |made, slot| made.with(slot, body.clone()));
            create_run(ports, &made, cx.now + seconds(10)).await.unwrap();
            id.to_string()
        })
    }

    /// Lets an event fail at its function, as its handler would; gives the delivery's id.
    pub fn fails(&self, body: &str, retry: Retry) -> String {
        let body = Json::from_text(body).unwrap();
        self.with_ports(async |ports| {
            let (id, now) = (ports.clock.new_id(), ports.clock.now());
            let event = EventMessage::at(id, "user.joined", body, now);
            let event = EventMessage { function: "user-joined".to_owned(), ..event };
            let error = AttemptError::retryable("MAILBOX_FULL", "no room for one more");
            let input =
                DeliveryInput::Handled(vec![HandlerFailure { handler: "user_joined::greet".to_owned(), error }]);
            let payloads = Payloads::none().with(slot::BODY, event.body.clone());
            let handlers = [Subscription { retry, ..subscription("user.joined") }];
            let subscribed = Subscribed { handlers: &handlers, body: &event.body };
            let seen = Seen::Fresh(DeliveryRecord::fresh(&event), payloads);
            commit(ports, seen, &input, subscribed, now + seconds(10)).await.unwrap().unwrap().record.record_id()
        })
    }

    /// Lets a run make a token, as its handler would; gives the token's text.
    pub fn token_of(&self, run: &str) -> String {
        self.with_ports(async |ports| {
            let cx = ports.clock.decision_context();
            let (run, expires_at_s) = (run.parse().unwrap(), cx.now.as_second() + 86_400);
            let new = NewToken { run, name: "approve", secret: Secret::new(7), until: None, expires_at_s };
            let made = TokenRecord::create(&new, &cx);
            create(ports, &made, cx.now + seconds(10)).await.unwrap();
            made.record.text().to_string()
        })
    }

    /// Lets a run log something, as its handler would.
    pub fn logs(&self, run: &str, number: u32, message: &str, data: Option<&str>) {
        self.with_ports(async |ports| {
            let (time, message, level) = (ports.clock.now(), message.to_owned(), LogLevel::Info);
            let data = data.map(|data| Json::from_text(data).unwrap());
            let entry = LogEntry { iteration: 1, attempt: 1, number, time, level, message, data, error: None };
            let key = RunRecord::key_of(run.parse().unwrap());
            ports.records.append(&key, &[entry.line().unwrap()]).await.unwrap();
        });
    }

    fn with_ports<T>(&self, work: impl AsyncFnOnce(&Ports) -> T) -> T {
        let ports = dacapo_local::client::connect(&self.address);
        tokio::runtime::Runtime::new().unwrap().block_on(work(&ports))
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
    TaskEntry { name: name.to_owned(), policy: Policy::default(), private, may_continue: true, schedules }
}

/// A task whose runs stand in line for two places.
fn limited() -> TaskEntry {
    let total = Limit { concurrency: Some(2), rate: None };
    let limits = Limits { queue: Some("images".to_owned()), total, ..Limits::default() };
    TaskEntry { policy: Policy { limits, ..Policy::default() }, ..task("resize-images", false) }
}

fn subscription(event: &str) -> Subscription {
    let (event, handler) = (event.to_owned(), "user_joined::greet".to_owned());
    Subscription { event, handler, timeout: seconds(5), retry: Retry::default(), dead_letter: false }
}
