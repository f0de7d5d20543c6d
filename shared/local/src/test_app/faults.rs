//! What may go wrong between any two effects, drawn from a seed.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dacapo_core::port::{PortError, PortErrorKind, PortResult, Ports};
use tokio::sync::Notify;

use super::faulty::Faulty;
use crate::engine::{Life, Lives};

/// How often things go wrong: each a share of a port's calls, 0 to 1.
///
/// A process that crashes does nothing more, and nobody tells anybody: its message comes back when its visibility
/// ends, its lease ends in its time. A throttled call was not made; one whose reply is lost was. Retries after both
/// wait in real time, so such tests run under tokio's paused clock: `#[tokio::test(start_paused = true)]`.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// The process dies, just before the call is made or just after.
    pub crash: f64,
    /// The call is refused as transient.
    pub throttle: f64,
    /// The call is made, its reply is lost.
    pub lost_reply: f64,
    /// A message is sent twice.
    pub duplicate: f64,
    /// A message comes some seconds later than asked for, and so after others; a timer up to a minute.
    pub late: f64,
}

impl Default for Faults {
    /// About one call in six goes wrong.
    fn default() -> Self {
        Self { crash: 0.03, throttle: 0.03, lost_reply: 0.03, duplicate: 0.05, late: 0.1 }
    }
}

impl Faults {
    /// Lives in which these faults happen, drawn from a seed.
    pub(super) fn lives(self, ports: Ports, seed: u64) -> Lives {
        let dice = Arc::new(Mutex::new(fastrand::Rng::with_seed(!seed)));
        Arc::new(move || {
            let fate =
                Arc::new(Fate { faults: self, dice: dice.clone(), dead: AtomicBool::new(false), died: Notify::new() });
            let dies = fate.clone();
            Life { ports: Faulty::wrap(&ports, &fate), dies: Box::pin(async move { dies.died.notified().await }) }
        })
    }
}

/// What happens to one process.
pub(super) struct Fate {
    faults: Faults,
    dice: Arc<Mutex<fastrand::Rng>>,
    dead: AtomicBool,
    died: Notify,
}

/// What happens to one call.
enum Fault {
    None,
    CrashBefore,
    CrashAfter,
    Throttled,
    LostReply,
}

impl Fate {
    /// Makes a call, or not, and tells of it, or not.
    pub(super) async fn meet<T>(&self, call: impl Future<Output = PortResult<T>>) -> PortResult<T> {
        if self.dead.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        let failed =
            |what: &str| Err(PortError::new(PortErrorKind::Transient, format!("{what} (a fault of the test)")));
        match self.draw() {
            Fault::None => call.await,
            Fault::CrashBefore => self.die().await,
            Fault::CrashAfter => {
                // Nobody is left to hear what came of it.
                let _ = call.await;
                self.die().await
            }
            Fault::Throttled => failed("throttled"),
            Fault::LostReply => {
                call.await?;
                failed("the reply was lost")
            }
        }
    }

    /// Whether a message is sent twice.
    pub(super) fn duplicates(&self) -> bool {
        self.roll() < self.faults.duplicate
    }

    /// How much later than asked for something comes, at most so much.
    pub(super) fn delay(&self, most: Duration) -> Duration {
        if self.roll() < self.faults.late { most.mul_f64(self.roll()) } else { Duration::ZERO }
    }

    fn draw(&self) -> Fault {
        let Faults { crash, throttle, lost_reply, .. } = self.faults;
        match self.roll() {
            roll if roll < crash / 2.0 => Fault::CrashBefore,
            roll if roll < crash => Fault::CrashAfter,
            roll if roll < crash + throttle => Fault::Throttled,
            roll if roll < crash + throttle + lost_reply => Fault::LostReply,
            _ => Fault::None,
        }
    }

    fn roll(&self) -> f64 {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }

    async fn die<T>(&self) -> T {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_one();
        std::future::pending().await
    }
}
