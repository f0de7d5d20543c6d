//! The outbox: each effect by the service that it is for.

use std::sync::Arc;

use async_trait::async_trait;
use dacapo_core::port::{Outbox, PortResult};
use dacapo_domain::Effect;

use crate::{queues::Queues, scheduler::Scheduler, wait_loop::WaitLoop};

/// The outbox over SQS, EventBridge Scheduler and Step Functions.
pub(crate) struct AwsOutbox {
    pub(crate) queues: Arc<Queues>,
    pub(crate) scheduler: Scheduler,
    pub(crate) wait_loop: Arc<WaitLoop>,
}

#[async_trait]
impl Outbox for AwsOutbox {
    async fn post(&self, effect: &Effect) -> PortResult<()> {
        match effect {
            Effect::Send { to, message, delay } => self.queues.send(to, message.text(), *delay).await,
            Effect::SendAt { timer, to, message, at } => self.scheduler.put_timer(timer, to, message, *at).await,
            Effect::CancelTimer { timer } => self.scheduler.cancel_timer(timer).await,
            Effect::StartWaitLoop { execution, call, until } => self.wait_loop.start(execution, call, *until).await,
            Effect::StopWaitLoop { execution, cause } => self.wait_loop.stop(execution, cause).await,
            Effect::DeadLetter { function, text } => self.queues.send_to_dlq(function, text).await,
            Effect::PutSchedule { name, function, schedule } => {
                self.scheduler.put_schedule(name, function, schedule).await
            }
            Effect::DeleteSchedule { name } => self.scheduler.delete_schedule(name).await,
        }
    }
}
