//! The error of an attempt: what a handler's `?` makes of any error.

use std::{
    any::type_name,
    backtrace::{Backtrace, BacktraceStatus},
    error::Error,
    fmt,
    sync::Arc,
};

use dacapo_domain::{AttemptError, RecordedError, RetryHint, When, WhenProblem, code};
use jiff::Timestamp;

/// The error of an attempt: `?` on any error means try again, [`.terminal()?`](Terminal::terminal) means stop.
///
/// It is not an error type itself, so that every error, text included, converts by `?`.
///
/// # Example: what is tried again, and what is not
///
/// ```
/// use dacapo::prelude::*;
///
/// async fn charge(order: String, _: TaskContext) -> Result<u64, TaskError> {
///     let cents: u64 = order.parse().terminal()?; // A wrong number stays wrong.
///     let rate = std::fs::read_to_string("/etc/rate")?; // The disk may come back.
///     if rate.is_empty() {
///         return Err(TaskError::terminal("there is no rate").code("NO_RATE"));
///     }
///     Ok(cents)
/// }
/// ```
#[derive(Clone)]
pub struct TaskError {
    source: Arc<dyn Error + Send + Sync>,
    backtrace: Arc<Backtrace>,
    code: Option<String>,
    next_try: NextTry,
}

/// The error's word on the next try; times are resolved when the attempt ends.
#[derive(Clone, Debug)]
enum NextTry {
    ByPolicy,
    Never,
    At(When),
}

impl TaskError {
    /// An error that no further attempt can mend.
    #[must_use]
    pub fn terminal(error: impl Into<Self>) -> Self {
        Self { next_try: NextTry::Never, ..error.into() }
    }

    /// An error that is tried again by the task's policy, also where it was terminal.
    #[must_use]
    pub fn retryable(error: impl Into<Self>) -> Self {
        Self { next_try: NextTry::ByPolicy, ..error.into() }
    }

    /// The next attempt is due then, if the task's policy has one left. A time that is refused leaves it to the
    /// policy, and the run's record says so.
    #[must_use]
    pub fn retry_at(self, when: impl Into<When>) -> Self {
        Self { next_try: NextTry::At(when.into()), ..self }
    }

    /// Gives the error a code of the author's own, such as `BAD_EMAIL`, by which programs tell it from others.
    #[must_use]
    pub fn code(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// Is true where no further attempt is made.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self.next_try, NextTry::Never)
    }

    /// The error that it was made of.
    #[must_use]
    pub fn source(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.source
    }

    /// The error of an attempt that gave no answer, as hooks see it.
    pub(crate) fn of_recorded(AttemptError { error, retry }: AttemptError) -> Self {
        let next_try = match retry {
            RetryHint::ByPolicy => NextTry::ByPolicy,
            RetryHint::Never => NextTry::Never,
            RetryHint::At(at) => NextTry::At(at.into()),
        };
        Self { next_try, ..Self::from(error.message) }.code(error.code)
    }

    /// The next try that the error asks for, if it asks for one at a time of its own.
    pub(crate) fn asked_for(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.next_try {
            NextTry::At(when) => when.resolve(now).ok(),
            _ => None,
        }
    }

    /// The error as the runner takes it.
    pub(crate) fn into_attempt_error(self, now: Timestamp) -> AttemptError {
        let mut error = self.recorded();
        let retry = match &self.next_try {
            NextTry::ByPolicy => RetryHint::ByPolicy,
            NextTry::Never => RetryHint::Never,
            NextTry::At(when) => match when.resolve(now) {
                Ok(at) => RetryHint::At(at),
                Err(refused) if matches!(refused.problem(), WhenProblem::Past { .. }) => RetryHint::At(now),
                Err(refused) => {
                    error.add_line(format!("the next try is left to the policy: failed to {refused}"));
                    RetryHint::ByPolicy
                }
            },
        };
        AttemptError { error, retry }
    }

    /// The error as it is recorded: code, text, and the chain of causes.
    pub(crate) fn recorded(&self) -> RecordedError {
        let code = self.code.clone().unwrap_or_else(|| code::ERROR.to_owned());
        let mut recorded = RecordedError { code, message: self.source.to_string(), stack: None };
        let mut error: &dyn Error = &*self.source;
        while let Some(cause) = error.source() {
            recorded.add_line(format!("caused by: {cause}"));
            error = cause;
        }
        if self.backtrace.status() == BacktraceStatus::Captured {
            recorded.add_backtrace(self.backtrace.to_string());
        }
        recorded.bounded()
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for TaskError {
    fn from(error: E) -> Self {
        let source: Arc<dyn Error + Send + Sync> = error.into().into();
        let next_try = if is_terminal(&*source) { NextTry::Never } else { NextTry::ByPolicy };
        let backtrace = if is_text::<E>() { Backtrace::disabled() } else { Backtrace::capture() };
        Self { source, backtrace: Arc::new(backtrace), code: None, next_try }
    }
}

/// Is true of a text, which says what its handler means to say: the frames that lead there add nothing.
fn is_text<E>() -> bool {
    [type_name::<&str>(), type_name::<String>()].contains(&type_name::<E>())
}

/// Says whether Dacapo itself takes trying again for useless.
fn is_terminal(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref::<crate::Error>().is_some_and(crate::Error::is_terminal)
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskError")
            .field("source", &self.source)
            .field("code", &self.code)
            .field("next_try", &self.next_try)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// Says of an error, where it is passed on, whether and when it is tried again.
pub trait Terminal<T> {
    /// No further attempt is made.
    ///
    /// # Errors
    /// The same error, terminal.
    fn terminal(self) -> Result<T, TaskError>;

    /// The next attempt is due then, if the task's policy has one left.
    ///
    /// # Errors
    /// The same error, with its time.
    fn retry_at(self, when: impl Into<When>) -> Result<T, TaskError>;
}

impl<T, E: Into<TaskError>> Terminal<T> for Result<T, E> {
    fn terminal(self) -> Result<T, TaskError> {
        self.map_err(TaskError::terminal)
    }

    fn retry_at(self, when: impl Into<When>) -> Result<T, TaskError> {
        self.map_err(|error| error.into().retry_at(when))
    }
}

#[cfg(test)]
mod tests {
    use dacapo_domain::{minutes, seconds};

    use super::*;
    use crate::ErrorKind;

    #[derive(Debug, thiserror::Error)]
    #[error("the order was not read")]
    struct Unread(#[source] std::num::ParseIntError);

    fn number(text: &str) -> Result<u64, Unread> {
        text.parse().map_err(Unread)
    }

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn failed(work: impl FnOnce() -> Result<u64, TaskError>) -> AttemptError {
        work().unwrap_err().into_attempt_error(now())
    }

    #[test]
    fn a_question_mark_means_try_again() {
        let failed = failed(|| Ok(number("x")?));
        assert_eq!(failed.retry, RetryHint::ByPolicy);
        assert_eq!((failed.error.code.as_str(), failed.error.message.as_str()), ("ERROR", "the order was not read"));
        let stack = failed.error.stack.unwrap();
        assert_eq!(stack.lines().next(), Some("caused by: invalid digit found in string"));
    }

    #[test]
    fn terminal_means_stop_and_a_code_is_kept() {
        let failed = failed(|| Err(TaskError::terminal("no address").code("BAD_EMAIL")));
        assert_eq!((failed.retry, failed.error.code.as_str()), (RetryHint::Never, "BAD_EMAIL"));
    }

    /// Under `RUST_BACKTRACE=1` it would be kilobytes of frames.
    #[test]
    fn text_that_a_handler_means_has_no_backtrace() {
        assert_eq!(failed(|| Err(TaskError::terminal("no address"))).error.stack, None);
        assert_eq!(failed(|| Err(format!("no {}", "address").into())).error.stack, None);
    }

    #[test]
    fn who_passes_an_error_on_has_the_last_word() {
        assert_eq!(failed(|| number("x").terminal()).retry, RetryHint::Never);
        assert_eq!(failed(|| Err(TaskError::retryable(TaskError::terminal("no")))).retry, RetryHint::ByPolicy);
    }

    #[test]
    fn an_error_may_say_when_it_is_tried_again() {
        let at = |when: When| failed(move || number("x").retry_at(when)).retry;
        assert_eq!(at(minutes(5).into()), RetryHint::At(now() + minutes(5)));
        assert_eq!(at((now() - seconds(1)).into()), RetryHint::At(now()));
        assert_eq!(at("never".into()), RetryHint::ByPolicy);

        let failed = failed(|| number("x").retry_at("1 fortnight"));
        let stack = failed.error.stack.unwrap();
        assert!(stack.contains("the next try is left to the policy: failed to use \"1 fortnight\""), "{stack}");
    }

    #[test]
    fn a_text_too_long_for_a_record_is_cut() {
        let failed = failed(|| Err("é".repeat(1_000_000).into()));
        assert!(failed.error.message.len() < 8_300 && failed.error.message.ends_with("é … (cut: 2000000 bytes)"));
    }

    #[test]
    fn what_dacapo_refuses_for_good_stays_terminal() {
        let error = |kind| TaskError::from(crate::Error::new(kind, "it failed"));
        assert!(error(ErrorKind::Usage).is_terminal());
        assert!(!error(ErrorKind::Transient).is_terminal());
    }
}
