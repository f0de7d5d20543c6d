//! The outbox and the probe: each effect, and each question of the conductor, by the service that it is for.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use dacapo_core::port::{ExecutionStatus, Outbox, PortResult, Probe, post_after};
use dacapo_domain::Effect;
use futures::future::join_all;

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

    async fn post_all(&self, effects: &[Effect]) {
        if effects.len() < 2 {
            return post_after(self, effects).await;
        }
        let others: Vec<Effect> =
            effects.iter().filter(|effect| !matches!(effect, Effect::Send { .. })).cloned().collect();
        futures::join!(self.send_all(effects), post_after(self, &others));
    }
}

impl AwsOutbox {
    async fn send_all(&self, effects: &[Effect]) {
        let mut queues: BTreeMap<&str, Vec<(&str, Duration)>> = BTreeMap::new();
        for effect in effects {
            if let Effect::Send { to, message, delay } = effect {
                queues.entry(to).or_default().push((message.text(), *delay));
            }
        }
        join_all(queues.iter().map(|(to, messages)| self.queues.send_all(to, messages))).await;
    }
}

/// The probe over SQS and Step Functions.
pub(crate) struct AwsProbe {
    pub(crate) queues: Arc<Queues>,
    pub(crate) wait_loop: Arc<WaitLoop>,
}

#[async_trait]
impl Probe for AwsProbe {
    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        self.queues.has_backlog(function).await
    }

    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus> {
        self.wait_loop.status(execution).await
    }
}
