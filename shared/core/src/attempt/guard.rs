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

use dacapo_domain::{AttemptError, code, limits};
use futures::future::{AbortHandle, Aborted, abortable};
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tracing::Instrument;

/// A moved limit is noticed this late at the most.
const LOOK: Duration = Duration::from_secs(1);

/// The time that a stopped handler has to reach its next await before its thread counts as blocked.
const STOPS_WITHIN: Duration = Duration::from_millis(500);

/// A limit of time, counted from its start, that can be moved while it runs. None is longer than an invocation is.
pub struct Limit(Mutex<Span>);

#[derive(Clone, Copy)]
struct Span {
    started: Instant,
    /// The time that had passed when it started.
    before: Duration,
    limit: Duration,
    is_fixed: bool,
}

/// Calls handlers so that neither a panic nor a blocked thread takes the runner with it.
#[derive(Default)]
pub(crate) struct Guard {
    blocked: AtomicBool,
    /// Is true where several are called at a time.
    is_shared: bool,
}

impl Limit {
    /// A limit that starts now.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self::begun(Duration::ZERO, limit)
    }

    /// A limit that started so long ago.
    pub(crate) fn begun(before: Duration, limit: Duration) -> Self {
        Self(Mutex::new(Span { started: Instant::now(), before, limit, is_fixed: false }))
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

    /// Starts another limit now, in place of the one before, which can't be moved.
    pub(crate) fn fix(&self, limit: Duration) {
        *self.span() = Span { started: Instant::now(), before: Duration::ZERO, limit, is_fixed: true };
    }

    /// Is true of a limit that may not be moved.
    pub(crate) fn is_fixed(&self) -> bool {
        self.span().is_fixed
    }

    /// The time spent so far.
    #[must_use]
    pub fn spent(&self) -> Duration {
        self.span().spent()
    }

    /// The time left.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let span = self.span();
        span.end().saturating_sub(span.spent())
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

impl Span {
    fn spent(&self) -> Duration {
        self.before.saturating_add(self.started.elapsed())
    }

    /// The time after which the runner stops what it limits.
    fn end(&self) -> Duration {
        self.limit.min(limits::RUNNER_STOPS)
    }
}

impl Guard {
    /// A guard around handlers that are called side by side: one that holds its thread holds none of the others.
    pub(crate) fn shared() -> Self {
        Self { is_shared: true, ..Self::default() }
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    /// Spawns a call. Where one holds its thread, or may while others are called, each has a thread of its own: the runtime's
    /// are few.
    fn spawn<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> Spawned<T> {
        // A task that has a thread of its own can't be stopped from outside: the call itself is.
        let (call, stop) = abortable(call.in_current_span());
        let task = if self.is_shared || self.is_blocked() {
            let runtime = Handle::current();
            tokio::task::spawn_blocking(move || runtime.block_on(call))
        } else {
            tokio::spawn(call)
        };
        Spawned { task, stop }
    }

    /// The outcome of a handler or a hook, named so in messages, or how it failed to give one.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        name: &str,
        handler: impl Future<Output = T> + Send + 'static,
        limit: &Limit,
    ) -> Result<T, AttemptError> {
        self.watch(name, self.spawn(handler), limit).await
    }

    async fn watch<T>(&self, name: &str, mut handler: Spawned<T>, limit: &Limit) -> Result<T, AttemptError> {
        tokio::select! {
            biased;
            outcome = &mut handler.task => match outcome {
                Ok(Ok(outcome)) => return Ok(outcome),
                Err(error) if error.is_panic() => return Err(panicked(name, &*error.into_panic())),
                Ok(Err(_)) | Err(_) => {} // The runtime ends, and the handler with it.
            },
            () = limit.passed() => handler.stop.abort(),
        }
        let passed = limit.span().end();
        if !handler.task.is_finished() && tokio::time::timeout(STOPS_WITHIN, &mut handler.task).await.is_err() {
            self.blocked.store(true, Ordering::Relaxed);
        }
        let message = format!("the {name} took longer than its timeout of {} s", passed.as_secs_f64());
        Err(AttemptError::retryable(code::TIMEOUT, message))
    }
}

/// A handler that was called. It ends with its invocation: where that is given up, as of a process that dies in a test.
struct Spawned<T> {
    task: JoinHandle<Result<T, Aborted>>,
    stop: AbortHandle,
}

impl<T> Drop for Spawned<T> {
    fn drop(&mut self) {
        self.stop.abort();
    }
}

fn panicked(name: &str, panic: &(dyn Any + Send)) -> AttemptError {
    let AttemptError { error, retry } =
        AttemptError::retryable(code::PANIC, format!("the {name} panicked: {}", panic_text(panic)));
    AttemptError { error: error.bounded(), retry }
}

/// The message of a panic.
#[must_use]
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use std::{pin::Pin, sync::Arc, thread};

    use futures::future::{join, join_all};
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn hook_after_others_that_hold_their_threads_runs_all_the_same() {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let guarded = runtime.spawn(async {
            let guard = Guard::default();
            let mut codes = vec![];
            for _ in 0..4 {
                let limit = Limit::new(Duration::from_millis(300));
                let blocks = async { thread::sleep(Duration::from_secs(20)) };
                codes.push(guard.call("hook", blocks, &limit).await.unwrap_err().error.code);
            }
            let slow = async {
                sleep(Duration::from_millis(100)).await;
                "ran"
            };
            (codes, guard.call("hook", slow, &Limit::new(Duration::from_secs(10))).await.unwrap())
        });
        let begun = Instant::now();
        while !guarded.is_finished() && begun.elapsed() < Duration::from_secs(15) {
            thread::sleep(Duration::from_millis(100));
            runtime.spawn(async {});
        }
        assert!(guarded.is_finished(), "the runtime has no thread left");
        let (codes, ran) = runtime.block_on(guarded).unwrap();
        runtime.shutdown_background();
        assert_eq!((codes, ran), (vec![code::TIMEOUT.to_owned(); 4], "ran"));
    }

    #[test]
    fn handler_beside_others_that_hold_their_threads_takes_its_own_time() {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let guard = Arc::new(Guard::shared());
        let call = |name: &'static str, handler: Pin<Box<dyn Future<Output = ()> + Send>>| {
            let guard = guard.clone();
            async move { guard.call(name, handler, &Limit::new(Duration::from_secs(60))).await }
        };
        let hold = || async { thread::sleep(Duration::from_secs(3)) };
        let begun = Instant::now();
        let (holders, other) = runtime.block_on(async {
            let holders = join_all((0..4).map(|_| call("holder", Box::pin(hold()))));
            let other = async {
                let called = call("other", Box::pin(sleep(Duration::from_millis(50)))).await;
                (called, begun.elapsed())
            };
            join(holders, other).await
        });
        assert!(holders.iter().all(Result::is_ok) && other.0.is_ok(), "each took its own time");
        assert!(other.1 < Duration::from_secs(3), "it waited for the others: {:?}", other.1);
    }

    #[test]
    fn handler_whose_runtime_ends_is_told_as_stopped_and_is_not_asked_again() {
        let guarded = Builder::new_current_thread().enable_all().build().unwrap();
        let handlers = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (call, stop) = abortable(std::future::pending::<()>());
        let handler = Spawned { task: handlers.spawn(call), stop };
        handlers.shutdown_background();
        let failed = guarded.block_on(Guard::default().watch("handler", handler, &Limit::new(Duration::from_secs(60))));
        assert_eq!(failed.unwrap_err().error.code, code::TIMEOUT);
    }

    #[test]
    fn handler_that_has_a_thread_of_its_own_is_stopped_at_its_limit() {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (guard, held) = (Guard::shared(), Arc::new(()));
        let holds = held.clone();
        let waits = async move {
            sleep(Duration::from_secs(60)).await;
            drop(holds);
        };
        let limit = Limit::new(Duration::from_millis(50));
        let failed = runtime.block_on(guard.call("handler", waits, &limit)).unwrap_err();
        assert_eq!((failed.error.code.as_str(), guard.is_blocked()), (code::TIMEOUT, false));
        assert_eq!(Arc::strong_count(&held), 1, "it goes on");
    }

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
            let failed = guard.call("handler", handler, &limit).await.unwrap_err();
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
