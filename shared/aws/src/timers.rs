//! One-time schedules.

use std::time::Duration;

use async_trait::async_trait;
use dacapo::port::{PortResult, Timers};
use dacapo_domain::{Message, aws_at};
use jiff::Timestamp;

use crate::{
    schedule_name::plain,
    scheduler::{Plan, Scheduler},
};

/// Scheduler takes a time that has passed and then does nothing, and its precision is a minute.
const SOONEST: Duration = Duration::from_secs(60);

/// One-time schedules, deleted once used.
#[async_trait]
impl Timers for Scheduler {
    async fn put(&self, name: &str, at: Timestamp, function: &str, message: &Message) -> PortResult<()> {
        let at = at.max(self.clock.now() + SOONEST);
        let plan = Plan {
            name: &plain(name),
            expression: aws_at(at),
            time_zone: "UTC",
            function,
            input: message.to_text(),
            once: true,
        };
        self.keep(&plan).await
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        self.remove(&plain(name)).await
    }
}
