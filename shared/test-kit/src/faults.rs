//! The faults between any two effects, drawn from a seed.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dacapo_core::port::{Clock, PortError, PortErrorKind, PortResult};
use dacapo_domain::{Effect, limits};
use jiff::Timestamp;
use tokio::sync::Notify;

/// The longest time by which a message comes later than asked for.
const LATEST_MESSAGE: Duration = Duration::from_secs(5);
/// The same for a timer: Scheduler's precision.
const LATEST_TIMER: Duration = Duration::from_secs(60);

/// The faults of an app's processes, and how often each happens: a share of a port's calls, 0 to 1.
///
/// A process that crashes does nothing more, and tells nothing: its message comes back when its visibility
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
    /// The effects of a write are calls of their own that come after it, as on AWS: each may go wrong by itself, and
    /// the process may die between any two. Without, it is as in the embedded engine: they are part of the write, and a
    /// process gets its run with the attempt taken.
    pub effects_apart: bool,
    /// A service throttles, beside what is said above. Then the app's clock goes on as tokio's does, so that what waits
    /// for the service sees time pass.
    pub throttling: Option<Throttling>,
}

/// A service of AWS's whose calls a port stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Records.
    DynamoDb,
    /// Messages, and whether a queue has a backlog.
    Sqs,
    /// Timers and schedules.
    Scheduler,
    /// The wait loops' executions.
    StepFunctions,
    /// Invocations: a queue's messages come back when their visibility ends, a wait loop calls again a second later.
    Lambda,
}

/// A service that refuses a share of its calls for a while, again and again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throttling {
    /// The service.
    pub service: Service,
    /// The share of its calls, 0 to 1.
    pub share: f64,
    /// For so long, …
    pub lasts: Duration,
    /// … once in so long a time, from its beginning on.
    pub every: Duration,
}

impl Throttling {
    fn is_on(&self, now: Timestamp) -> bool {
        let since_midnight = now.as_millisecond().rem_euclid(86_400_000).unsigned_abs();
        u128::from(since_midnight) % self.every.as_millis().max(1) < self.lasts.as_millis()
    }
}

impl Default for Faults {
    /// About one call in six goes wrong, on AWS.
    fn default() -> Self {
        Self { crash: 0.03, throttle: 0.03, lost_reply: 0.03, duplicate: 0.05, late: 0.1, ..Self::none() }
    }
}

impl Faults {
    /// Nothing goes wrong; effects come after their write, as on AWS.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            crash: 0.0,
            throttle: 0.0,
            lost_reply: 0.0,
            duplicate: 0.0,
            late: 0.0,
            effects_apart: true,
            throttling: None,
        }
    }
}

/// The dice of one app: one sequence for all its processes.
#[derive(Clone)]
pub struct Dice(Arc<Mutex<fastrand::Rng>>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(!seed))))
    }

    /// 0 to 1.
    fn draw(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

/// The faults of one process: it lives as long as one invocation.
pub struct FaultPlan {
    faults: Faults,
    dice: Dice,
    clock: Arc<dyn Clock>,
    dead: AtomicBool,
    died: Notify,
}

/// The fault of one call.
enum Fault {
    None,
    CrashBefore,
    CrashAfter,
    Throttled,
    LostReply,
}

impl FaultPlan {
    pub fn new(faults: Faults, dice: Dice, clock: Arc<dyn Clock>) -> Self {
        Self { faults, dice, clock, dead: AtomicBool::new(false), died: Notify::new() }
    }

    /// Comes when the process dies in the middle of its work.
    pub async fn died(&self) {
        self.died.notified().await;
    }

    /// Is true where effects are calls of their own that come after their write.
    pub fn effects_are_apart(&self) -> bool {
        self.faults.effects_apart
    }

    /// Is true where a service refuses this call as one too many.
    pub fn is_throttled(&self, service: Service) -> bool {
        let throttling = self.faults.throttling.filter(|it| it.service == service && it.is_on(self.clock.now()));
        throttling.is_some_and(|it| self.dice.draw() < it.share)
    }

    /// Makes a call to a service, or not, and tells of it, or not.
    pub async fn inject<T>(&self, service: Service, call: impl Future<Output = PortResult<T>>) -> PortResult<T> {
        if self.dead.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        let failed =
            |what: &str| Err(PortError::new(PortErrorKind::Transient, format!("{what} (a fault of the test)")));
        match self.draw() {
            _ if self.is_throttled(service) => failed("throttled"),
            Fault::None => call.await,
            Fault::CrashBefore => self.die().await,
            Fault::CrashAfter => {
                // The process hears no more what came of it.
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

    /// An effect as it happens: a message late and twice, a timer late, anything else as it is.
    pub fn disturb(&self, effect: &Effect) -> Vec<Effect> {
        let mut effect = effect.clone();
        match &mut effect {
            Effect::Send { delay, .. } => {
                *delay = (*delay + self.delay(LATEST_MESSAGE)).min(limits::MAX_QUEUE_DELAY);
                if self.dice.draw() < self.faults.duplicate {
                    return vec![effect.clone(), effect];
                }
            }
            Effect::SendAt { at, .. } => *at += self.delay(LATEST_TIMER),
            _ => {}
        }
        vec![effect]
    }

    /// The time by which something comes later than asked for, at most so much.
    fn delay(&self, most: Duration) -> Duration {
        if self.dice.draw() < self.faults.late { most.mul_f64(self.dice.draw()) } else { Duration::ZERO }
    }

    fn draw(&self) -> Fault {
        let Faults { crash, throttle, lost_reply, .. } = self.faults;
        match self.dice.draw() {
            drawn if drawn < crash / 2.0 => Fault::CrashBefore,
            drawn if drawn < crash => Fault::CrashAfter,
            drawn if drawn < crash + throttle => Fault::Throttled,
            drawn if drawn < crash + throttle + lost_reply => Fault::LostReply,
            _ => Fault::None,
        }
    }

    async fn die<T>(&self) -> T {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_one();
        std::future::pending().await
    }
}
