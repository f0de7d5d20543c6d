//! The bench that a rule is checked on.

use std::time::Duration;

use async_trait::async_trait;
use dacapo_core::port::Ports;
use dacapo_domain::Message;

/// Ports, and what stands around them: time, queues that are read, names that no other rule uses.
///
/// Rules ask for the ports each time and keep none, so that a bench can be [reopened](Bench::reopen).
#[async_trait]
pub trait Bench: Send + Sync {
    /// The ports.
    fn ports(&self) -> Ports;

    /// A name that no other rule and no earlier test used: for records, tasks, schedules, executions. It is a slug.
    fn unique(&self, name: &str) -> String;

    /// Lets at least so much time pass, and whatever fires by then fire. A bench with a clock of its own steps it.
    async fn pass(&self, time: Duration);

    /// Sets the ports' clock so much ahead: for what records say of time, which no service waits for.
    async fn skip(&self, time: Duration) {
        self.pass(time).await;
    }

    /// A function of a unique name that has a queue.
    async fn function(&self, name: &str) -> String;

    /// The same with a dead-letter queue of its own.
    async fn function_with_dlq(&self, name: &str) -> String;

    /// Takes what is visible in a function's queue now, acknowledged. It may be less than there is.
    async fn receive(&self, function: &str) -> Vec<Message>;

    /// Takes the texts in a function's own dead-letter queue.
    async fn function_dlq(&self, function: &str) -> Vec<String>;

    /// Takes the texts in the app's dead-letter queue.
    async fn app_dlq(&self) -> Vec<String>;

    /// Ends the process that holds the ports and starts another, where there is one.
    async fn reopen(&self) {}

    /// Takes messages until there are so many, or nothing came for so long.
    async fn receive_within(&self, function: &str, count: usize, patience: Duration) -> Vec<Message> {
        const STEP: Duration = Duration::from_secs(1);
        let mut messages = self.receive(function).await;
        let mut waited = Duration::ZERO;
        while messages.len() < count && waited < patience {
            self.pass(STEP).await;
            waited += STEP;
            messages.extend(self.receive(function).await);
        }
        messages
    }
}
