//! Properties that the engine relies on, beyond what the ports' contract says.

use std::{sync::Arc, time::Duration};

use dacapo_core::port::{Clock, Outbox, Records};
use dacapo_domain::{Decision, DeliveryMessage, Effect, Message, NewRun, RunRecord, Trigger, WaitLoopCall, Write};
use jiff::Timestamp;

use super::{Database, Due, DueExecution, DueSchedule, QueueSpec, ReceivedMessage, Rooms};
use crate::test_clock::TestClock;

mod executions;
mod expiry;
mod files;
mod group_commit;
mod messages;
mod records;
mod schedules;
mod until;

/// A database in memory, its clock, and a queue "greet": hidden for 30 s, three receives.
struct Bench {
    clock: Arc<TestClock>,
    database: Database,
}

impl Bench {
    async fn new() -> Self {
        let clock = Arc::new(TestClock::new());
        let database = Database::memory(clock.clone()).unwrap();
        let bench = Self { clock, database };
        bench.declare("greet").await;
        bench
    }

    async fn declare(&self, function: &str) {
        let visibility = Duration::from_secs(30);
        let function = function.to_owned();
        let queue = QueueSpec { function, visibility, max_receives: Some(3), has_dead_letters: false };
        self.database.declare_queue(&queue).await.unwrap();
    }

    fn pass(&self, time: Duration) {
        self.clock.move_to(self.clock.now() + time);
    }

    async fn post(&self, effect: Effect) {
        self.database.post(&effect).await.unwrap();
    }

    async fn send(&self, text: &str, delay: Duration) {
        self.post(send("greet", text, delay)).await;
    }

    async fn receive(&self, queue: &str) -> Vec<ReceivedMessage> {
        self.database.receive(queue, 10).await.unwrap()
    }

    async fn texts(&self, queue: &str) -> Vec<String> {
        self.receive(queue).await.into_iter().map(|received| received.text).collect()
    }

    /// All that is due, but for messages.
    async fn due(&self, executions: u32) -> Due {
        self.database.take_due(Rooms { orphans: executions, ..Rooms::default() }).await.unwrap()
    }

    async fn next_due(&self) -> Option<Timestamp> {
        self.due(0).await.next
    }

    async fn due_executions(&self) -> Vec<DueExecution> {
        self.due(10).await.executions
    }

    async fn due_schedules(&self) -> Vec<DueSchedule> {
        self.due(0).await.schedules
    }

    fn call(&self, round: u32) -> WaitLoopCall {
        let (run, started) = (self.clock.new_id(), self.clock.now());
        let (function, tries, throttled) = ("import".to_owned(), 0, None);
        WaitLoopCall { run, function, generation: 1, round, started, iteration: 2, attempt: 1, tries, throttled }
    }

    async fn start(&self, execution: &str, call: &WaitLoopCall, until: Timestamp) {
        self.post(Effect::StartWaitLoop { execution: execution.to_owned(), call: call.clone(), until }).await;
    }

    /// A new run of "greet", not stored yet.
    fn run(&self) -> Decision<RunRecord> {
        let cx = self.clock.decision_context();
        RunRecord::create(NewRun::at(self.clock.new_id(), "greet", self.clock.now(), Trigger::Run), &cx)
    }

    /// A run that is stored, and its write.
    async fn stored_run(&self) -> (RunRecord, Write) {
        let decision = self.run();
        let write = decision.write().unwrap();
        self.database.create(&write, None).await.unwrap();
        (decision.record, write)
    }

    /// The write that makes a record expire after so many seconds.
    fn expiring(&self, record: &RunRecord, seconds: i64) -> Write {
        let expires_at_s = Some(self.clock.now().as_second() + seconds);
        let version = self.clock.decision_context().version();
        let record = RunRecord { version, expires_at_s, reconcile_at: None, ..record.clone() };
        Decision::store(record, vec![]).write().unwrap()
    }

    /// Spoils what is stored, as another build would.
    async fn spoil(&self, sql: &'static str) {
        self.database.call(move |connection| Ok(connection.execute_batch(sql)?)).await.unwrap();
    }

    /// Rows of a table.
    async fn count(&self, table: &'static str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.database.call(move |connection| Ok(connection.query_row(&sql, [], |row| row.get(0))?)).await.unwrap()
    }
}

fn message(text: &str) -> Message {
    Message::Delivery(DeliveryMessage { delivery: text.to_owned(), attempt: 1 })
}

fn text(text: &str) -> String {
    message(text).to_text()
}

fn send(to: &str, text: &str, delay: Duration) -> Effect {
    Effect::Send { to: to.to_owned(), message: message(text).to_json(), delay }
}

fn send_at(timer: &str, to: &str, text: &str, at: Timestamp) -> Effect {
    Effect::SendAt { timer: timer.to_owned(), to: to.to_owned(), message: message(text).to_json(), at }
}
