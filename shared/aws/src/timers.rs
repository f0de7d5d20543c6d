//! One-time schedules.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dacapo::port::{Clock, PortResult, Timers};
use dacapo_domain::{Message, aws_at};
use jiff::Timestamp;

use crate::{
    Stack,
    schedule_name::plain,
    scheduler::{Plan, Scheduler},
};

/// One-time schedules, deleted once used.
pub(crate) struct SchedulerTimers {
    scheduler: Scheduler,
    clock: Arc<dyn Clock>,
}

/// Scheduler takes a time that has passed and then does nothing, and its precision is a minute.
const SOONEST: Duration = Duration::from_secs(60);

impl SchedulerTimers {
    pub(crate) fn new(
        client: aws_sdk_scheduler::Client,
        dynamodb: aws_sdk_dynamodb::Client,
        stack: Arc<Stack>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { scheduler: Scheduler::new(client, dynamodb, stack), clock }
    }
}

#[async_trait]
impl Timers for SchedulerTimers {
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
        self.scheduler.put(&plan).await
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        self.scheduler.delete(&plain(name)).await
    }
}
