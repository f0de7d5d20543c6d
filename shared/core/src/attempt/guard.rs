//! The limit of a handler's time, and the guard around the handler: against panics, timeouts and blocked threads.

use std::{
    any::Any,
    future::Future,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dacapo_domain::{AttemptError, code};
use tokio::time::{Instant, sleep};

/// A moved limit is noticed this late at the most.
const LOOK: Duration = Duration::from_secs(1);

/// The time that a stopped handler has to reach its next await before its thread counts as blocked.
const STOPS_WITHIN: Duration = Duration::from_millis(500);

/// Characters of a panic's message that are kept, so that the record can be stored.
const PANIC_CHARS: usize = 2_000;

/// A limit of time, counted from its start, that can be moved while it runs.
pub struct Limit(Mutex<Span>);

#[derive(Clone, Copy)]
struct Span {
    started: Instant,
    limit: Duration,
}

/// Calls handlers so that neither a panic nor a blocked thread takes the runner with it.
#[derive(Default)]
pub(crate) struct Guard {
    blocked: AtomicBool,
}

impl Limit {
    /// A limit that starts now.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self(Mutex::new(Span { started: Instant::now(), limit }))
    }

    fn span(&self) -> MutexGuard<'_, Span> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limit itself.
    #[must_use]
    pub fn get(&self) -> Duration {
        self.span().limit
    }

    /// Moves it.
    pub fn set(&self, limit: Duration) {
        self.span().limit = limit;
    }

    /// Starts another limit now, in place of the one that has passed.
    pub(crate) fn restart(&self, limit: Duration) {
        *self.span() = Span { started: Instant::now(), limit };
    }

    /// The time spent so far.
    #[must_use]
    pub fn spent(&self) -> Duration {
        self.span().started.elapsed()
    }

    /// The time left.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let Span { started, limit } = *self.span();
        limit.saturating_sub(started.elapsed())
    }

    /// Comes once the limit has passed, however often it was moved.
    ///
    /// It looks by itself whether the limit was moved: what a handler wakes has to wait on the handler's thread until
    /// that is free, which a handler that blocks never lets it be.
    pub async fn passed(&self) {
        while !self.remaining().is_zero() {
            sleep(self.remaining().min(LOOK)).await;
        }
    }
}

impl Guard {
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    /// The handler's outcome, or how it failed to give one.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        handler: impl Future<Output = T> + Send + 'static,
        limit: &Limit,
    ) -> Result<T, AttemptError> {
        let mut handler = tokio::spawn(handler);
        let passed = tokio::select! {
            biased;
            outcome = &mut handler => match outcome {
                Ok(outcome) => return Ok(outcome),
                Err(error) if error.is_panic() => return Err(panicked(&*error.into_panic())),
                Err(_) => limit.get(),
            },
            () = limit.passed() => limit.get(),
        };
        handler.abort();
        if tokio::time::timeout(STOPS_WITHIN, &mut handler).await.is_err() {
            self.blocked.store(true, Ordering::Relaxed);
        }
        let message = format!("the handler took longer than its timeout of {} s", passed.as_secs_f64());
        Err(AttemptError::retryable(code::TIMEOUT, message))
    }
}

fn panicked(panic: &(dyn Any + Send)) -> AttemptError {
    let said = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned());
    let said: String = said.chars().take(PANIC_CHARS).collect();
    AttemptError::retryable(code::PANIC, format!("the handler panicked: {said}"))
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use tokio::runtime::Builder;

    use super::*;

    /// As a function is served: the guard on the worker that the handler is spawned on, while the other one is woken
    /// now and then, so that it waits for the timers.
    #[test]
    fn a_handler_that_moves_its_limit_and_then_holds_its_thread_is_stopped() {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let guarded = runtime.spawn(async {
            let (guard, limit) = (Guard::default(), Arc::new(Limit::new(Duration::from_secs(60))));
            let moved = Arc::clone(&limit);
            let handler = async move {
                moved.set(Duration::from_millis(500));
                thread::sleep(Duration::from_secs(5));
            };
            let failed = guard.call(handler, &limit).await.unwrap_err();
            (failed.error.code, guard.is_blocked(), limit.spent())
        });
        while !guarded.is_finished() {
            thread::sleep(Duration::from_millis(100));
            runtime.spawn(async {});
        }
        let (code, is_blocked, spent) = runtime.block_on(guarded).unwrap();
        runtime.shutdown_background();
        assert_eq!((code.as_str(), is_blocked), (code::TIMEOUT, true));
        assert!(spent < Duration::from_secs(4), "the limit was seen to pass only after {spent:?}");
    }
}
