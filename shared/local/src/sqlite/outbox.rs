//! Effects, with a write or by themselves: the one place that knows what becomes of each here.

use async_trait::async_trait;
use dacapo_core::port::{Outbox, PortResult};
use dacapo_domain::Effect;
use jiff::Timestamp;
use rusqlite::Connection;

use super::{Database, error::WorkError, executions, messages, schedules, timers};

#[async_trait]
impl Outbox for Database {
    async fn post(&self, effect: &Effect) -> PortResult<()> {
        let (effect, now) = (effect.clone(), self.now());
        self.call_and_wake(move |connection| apply(connection, &effect, now)).await
    }
}

/// Lets the effects of a write follow it, in its own transaction. One that is refused, as a message to a function that
/// has no queue, is left to the conductor: the record is stored all the same, as on AWS.
pub(super) fn follow(connection: &Connection, effects: &[Effect], now: Timestamp) -> rusqlite::Result<()> {
    for effect in effects {
        match apply(connection, effect, now) {
            Ok(()) => {}
            Err(WorkError::Port(error)) => tracing::warn!(?effect, %error, "left to the conductor"),
            Err(WorkError::Sql(error)) => return Err(error),
        }
    }
    Ok(())
}

fn apply(connection: &Connection, effect: &Effect, now: Timestamp) -> Result<(), WorkError> {
    match effect {
        Effect::Send { to, message, delay } => messages::send(connection, to, message.text(), *delay, now),
        Effect::SendAt { timer, to, message, at } => Ok(timers::put(connection, timer, to, message.text(), *at)?),
        Effect::CancelTimer { timer } => Ok(timers::cancel(connection, timer)?),
        Effect::StartWaitLoop { execution, call, until } => executions::start(connection, execution, call, *until),
        Effect::StopWaitLoop { execution, cause } => Ok(executions::stop(connection, execution, cause, now)?),
        Effect::DeadLetter { function, text } => Ok(messages::dead_letter(connection, function, text, now)?),
        Effect::PutSchedule { name, function, schedule } => schedules::put(connection, name, function, schedule, now),
        Effect::DeleteSchedule { name } => Ok(schedules::delete(connection, name)?),
    }
}
