//! The faults of one process, drawn from a seed, call by call.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dacapo_core::port::{Clock, PortError, PortErrorKind, PortResult};
use dacapo_domain::{Effect, limits};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::{
    faults::{Faults, Service},
    trace::Process,
};

/// The longest time by which a timer comes later than asked for: Scheduler's precision.
const LATEST_TIMER: Duration = Duration::from_secs(60);

/// The longest time after which a function is called again whose answer did not come.
const LATEST_SECOND_CALL: Duration = Duration::from_secs(60);

/// The time by which a clock is ahead that is a bug, not a fault.
#[cfg(feature = "planted-bugs")]
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// The dice of one app: one sequence for all its processes.
#[derive(Clone)]
pub struct Dice(Arc<Mutex<fastrand::Rng>>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(!seed))))
    }

    /// 0 to 1.
    fn draw(&self) -> f64 {
        self.rng().f64()
    }

    fn between(&self, least: i64, most: i64) -> i64 {
        self.rng().i64(least..=most)
    }

    fn rng(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The faults of one process: it lives as long as one invocation.
pub struct FaultPlan {
    faults: Faults,
    dice: Dice,
    clock: Arc<dyn Clock>,
    process: Process,
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
        let process = Process::next(faults.trace.clone().unwrap_or_default(), clock.clone());
        Self { faults, dice, clock, process, dead: AtomicBool::new(false), died: Notify::new() }
    }

    /// The process, as the account names it.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The clock of the process.
    pub fn clock(&self) -> Arc<dyn Clock> {
        #[cfg(feature = "planted-bugs")]
        if self.faults.bug == Some(crate::Bug::ClockAhead) {
            return Arc::new(SkewedClock { clock: self.clock.clone(), skew: AHEAD });
        }
        let most = i64::try_from(self.faults.skew.as_millis()).unwrap_or(i64::MAX);
        if most == 0 {
            return self.clock.clone();
        }
        let skew = SignedDuration::from_millis(self.dice.between(-most, most));
        if !self.happens(&format!("its clock is wrong by {skew:#}")) {
            return self.clock.clone();
        }
        Arc::new(SkewedClock { clock: self.clock.clone(), skew })
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
        throttling.is_some_and(|it| self.dice.draw() < it.share) && self.happens("throttled")
    }

    /// Makes a call to a service, or not, and tells of it, or not.
    pub async fn inject<T>(&self, service: Service, call: impl Future<Output = PortResult<T>>) -> PortResult<T> {
        if self.dead.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        let failed =
            |what: &str| Err(PortError::new(PortErrorKind::Transient, format!("{what} (a fault of the test)")));
        let fault = self.draw();
        let (before, after) = self.slowness();
        pause(before).await;
        let reply = match fault {
            _ if self.is_throttled(service) => failed("throttled"),
            Fault::None => call.await,
            Fault::CrashBefore => self.die().await,
            Fault::CrashAfter => {
                // The process hears no more what came of it.
                let _ = call.await;
                self.die().await
            }
            Fault::Throttled => failed("throttled"),
            Fault::LostReply => call.await.and_then(|_| failed("the reply was lost")),
        };
        pause(after).await;
        reply
    }

    /// The time that a call takes before it is made, and until its reply comes.
    fn slowness(&self) -> (Duration, Duration) {
        if self.dice.draw() >= self.faults.slow {
            return (Duration::ZERO, Duration::ZERO);
        }
        let (takes, is_before) = (self.takes(self.faults.slowest), self.dice.draw() < 0.5);
        let what = if is_before { "the call is made" } else { "the reply comes" };
        match self.happens(&format!("{what} {takes:.1?} later")) {
            true if is_before => (takes, Duration::ZERO),
            true => (Duration::ZERO, takes),
            false => (Duration::ZERO, Duration::ZERO),
        }
    }

    /// The time after which a function is called a second time, where it is.
    pub fn called_again(&self) -> Option<Duration> {
        if self.dice.draw() >= self.faults.duplicate {
            return None;
        }
        let after = self.takes(LATEST_SECOND_CALL);
        self.happens(&format!("called again after {after:.1?}")).then_some(after)
    }

    /// A time up to the longest, mostly a short one: as often a second as a minute.
    fn takes(&self, longest: Duration) -> Duration {
        Duration::from_millis(1).mul_f64((longest.as_secs_f64() * 1_000.0).max(1.0).powf(self.dice.draw()))
    }

    /// An effect as it happens: a message late and twice, a timer late, anything else as it is.
    pub fn disturb(&self, effect: &Effect) -> Vec<Effect> {
        let mut effect = effect.clone();
        match &mut effect {
            Effect::Send { delay, to, message } => {
                *delay += self.delay(self.faults.latest);
                let is_twice = self.dice.draw() < self.faults.duplicate && self.happens("sent twice");
                let effects = 0..1 + usize::from(is_twice);
                if *delay > limits::MAX_QUEUE_DELAY {
                    // No queue holds it back for so long: what stands for the delay is a timer of the test.
                    let at = self.clock.now() + *delay;
                    let timer = |_| format!("late-{}", self.process.trace().next_late());
                    let timers = effects.map(timer);
                    let send = |timer| Effect::SendAt { timer, to: to.clone(), message: message.clone(), at };
                    return timers.map(send).collect();
                }
                return effects.map(|_| effect.clone()).collect();
            }
            Effect::SendAt { at, .. } => *at += self.delay(LATEST_TIMER),
            _ => {}
        }
        vec![effect]
    }

    /// The time by which something comes later than asked for, at most so much.
    fn delay(&self, most: Duration) -> Duration {
        if self.dice.draw() >= self.faults.late {
            return Duration::ZERO;
        }
        let delay = most.mul_f64(self.dice.draw());
        if self.happens(&format!("late by {delay:.1?}")) { delay } else { Duration::ZERO }
    }

    /// Counts a fault that was drawn, and says whether it happens.
    fn happens(&self, what: &str) -> bool {
        let number = self.process.fault(what);
        self.faults.only.as_ref().is_none_or(|only| only.contains(&number))
    }

    fn draw(&self) -> Fault {
        let Faults { crash, throttle, lost_reply, .. } = self.faults;
        let (fault, what) = match self.dice.draw() {
            drawn if drawn < crash / 2.0 => (Fault::CrashBefore, "the process dies before the call"),
            drawn if drawn < crash => (Fault::CrashAfter, "the process dies after the call"),
            drawn if drawn < crash + throttle => (Fault::Throttled, "throttled"),
            drawn if drawn < crash + throttle + lost_reply => (Fault::LostReply, "the reply is lost"),
            _ => return Fault::None,
        };
        if self.happens(what) { fault } else { Fault::None }
    }

    async fn die<T>(&self) -> T {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_one();
        std::future::pending().await
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// The clock of a process that is early or late.
struct SkewedClock {
    clock: Arc<dyn Clock>,
    skew: SignedDuration,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.clock.now() + self.skew
    }

    fn random(&self) -> u64 {
        self.clock.random()
    }
}
