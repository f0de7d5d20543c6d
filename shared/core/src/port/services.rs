//! The services beside the records: the outbox, the probe and the clock.

use async_trait::async_trait;
use dacapo_domain::{DecisionContext, Effect, Id, run::ExecutionEnd};
use jiff::{Timestamp, TimestampRound, Unit};

use super::error::{PortError, PortErrorKind, PortResult};

/// The outbox: messages, timers and executions that leave without a write of their own.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Lets an effect happen. Each is idempotent, or bears to happen twice.
    ///
    /// # Errors
    /// `NotDeployed` if the function has no queue; on `Transient` it may have happened all the same.
    async fn post(&self, effect: &Effect) -> PortResult<()>;

    /// Lets the effects of many writes that are stored happen, in any order and in as few requests as the services
    /// take. One that fails is logged and left to the conductor.
    async fn post_all(&self, effects: &[Effect]) {
        post_after(self, effects).await;
    }
}

/// The state of an execution.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ExecutionStatus {
    /// It waits or calls.
    Running,
    /// It has ended: from outside, or with its run. One that never was has ended too.
    Ended(Option<ExecutionEnd>),
}

/// The questions that the conductor asks the services before it repairs.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Says whether the function's queue shows a visible message.
    ///
    /// # Errors
    /// `NotDeployed` if the function has no queue.
    async fn has_backlog(&self, function: &str) -> PortResult<bool>;

    /// Says whether an execution of the wait loop is running, or how it ended.
    ///
    /// # Errors
    /// Any [`PortError`](super::PortError).
    async fn execution_status(&self, execution: &str) -> PortResult<ExecutionStatus>;
}

/// Time and randomness: the only place where either comes from.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Makes sure that it goes right, before a time is taken from it that is stored. A clock that follows another one
    /// asks that one, once.
    ///
    /// # Errors
    /// If the other one can't be asked.
    async fn synchronize(&self) -> PortResult<()> {
        Ok(())
    }

    /// Now, in whole milliseconds.
    fn now(&self) -> Timestamp;

    /// 64 random bits.
    fn random(&self) -> u64;

    /// 128 random bits that can't be guessed.
    ///
    /// # Errors
    /// If the system gives no randomness.
    fn secret(&self) -> PortResult<u128> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| {
            PortError::new(PortErrorKind::Transient, format!("failed to get randomness from the system: {error}"))
        })?;
        Ok(u128::from_be_bytes(bytes))
    }

    /// The context of a decision that is made now.
    fn decision_context(&self) -> DecisionContext {
        DecisionContext { now: self.now(), random: self.random() }
    }

    /// A new id.
    fn new_id(&self) -> Id {
        self.id_at(self.now())
    }

    /// A new id of this time. What bears it is listed by it, so it is the time that the record says it was created at.
    fn id_at(&self, time: Timestamp) -> Id {
        Id::new(time, (u128::from(self.random()) << 64) | u128::from(self.random()))
    }
}

/// The machine's clock. In Lambda that is AWS's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let whole = TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Floor);
        Timestamp::now().round(whole).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn random(&self) -> u64 {
        fastrand::u64(..)
    }
}

/// Posts what follows from a write that is stored, for stores that can't do both in one transaction. One that fails is
/// logged and left to the conductor: the record is stored, so nothing is lost.
pub async fn post_after(outbox: &(impl Outbox + ?Sized), effects: &[Effect]) {
    for effect in effects {
        if let Err(error) = outbox.post(effect).await {
            tracing::warn!(%effect, %error, "left to the conductor");
        }
    }
}
