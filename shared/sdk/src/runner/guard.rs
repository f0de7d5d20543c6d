//! Panics and timeouts around a handler.

use std::{
    any::Any,
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use dacapo_domain::{Failed, code};

use super::limit::Limit;

/// How long a stopped handler has to reach its next await before its thread counts as blocked.
const STOPS_WITHIN: Duration = Duration::from_millis(500);

/// Characters of a panic's message that are kept, so that the record can be stored.
const PANIC_CHARS: usize = 2_000;

/// Calls handlers so that neither a panic nor a blocked thread takes the runner with it.
#[derive(Default)]
pub(super) struct Guard {
    blocked: AtomicBool,
}

impl Guard {
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    /// The handler's outcome, or how it failed to give one.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        handler: impl Future<Output = T> + Send + 'static,
        limit: &Limit,
    ) -> Result<T, Failed> {
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
        Err(Failed::retryable(code::TIMEOUT, message))
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Failed {
    let said = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned());
    let said: String = said.chars().take(PANIC_CHARS).collect();
    Failed::retryable(code::PANIC, format!("the handler panicked: {said}"))
}
