//! What the engine relies on, beyond what the ports' contract says.

use std::{sync::Arc, time::Duration};

use dacapo_core::port::{Clock, Envelope, Queues};
use dacapo_domain::{DeliveryMessage, Message};

use super::{Database, QueueSpec, Received};
use crate::VirtualClock;

mod expiry;
mod files;
mod group;
mod loops;
mod messages;
mod schedules;

/// A database in memory, its clock, and a queue "greet": hidden for 30 s, three receives.
struct Bench {
    clock: Arc<VirtualClock>,
    database: Database,
}

impl Bench {
    async fn new() -> Self {
        let clock = Arc::new(VirtualClock::new(1));
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

    async fn send(&self, text: &str, delay: Duration) {
        let envelope = Envelope { message: message(text), delay };
        self.database.send("greet", &envelope).await.unwrap();
    }

    async fn receive(&self, queue: &str) -> Vec<Received> {
        self.database.receive(queue, 10).await.unwrap()
    }

    async fn texts(&self, queue: &str) -> Vec<String> {
        self.receive(queue).await.into_iter().map(|received| received.text).collect()
    }
}

fn message(text: &str) -> Message {
    Message::Delivery(DeliveryMessage { delivery: text.to_owned(), attempt: 1 })
}

fn text(text: &str) -> String {
    message(text).to_text()
}
