//! Steps: work whose value is stored once per run.

use dacapo_domain::{code, limits, until};

use super::TaskContext;
use crate::{
    Payload, TaskError,
    handler::IsResult,
    payload::{decode, encode},
};

impl<V> TaskContext<V> {
    /// The value of some work, done once per run: a retry of this attempt, a later iteration and a process that takes
    /// over get the value that is stored. The name is the step's own within the run, of 1 to 256 characters; the value has
    /// at most 1,048,576 bytes of JSON.
    ///
    /// Work that fails, panics or is cut off stores nothing: it is done again when the attempt is retried, or in place by
    /// [`retry`](crate::RunContext::retry) around it. The work of one step may be done twice only where the process dies
    /// before its value is stored; where two attempts meet, the first value counts for both. Steps may run at the same
    /// time. A step costs one write, and a read only where the run may have it already.
    ///
    /// # Errors
    /// The work's own; a terminal one for a name that was used before in this attempt (in a loop, number it), or that is
    /// too long, and for a value that can't be serialized or read back, or is too large (`TOO_LARGE`); `INPUT_MISMATCH` for
    /// a stored value that is none of this type any more; else what the store says.
    ///
    /// # Example: a mail is written and sent once each
    ///
    /// ```
    /// # use dacapo::prelude::*;
    /// # async fn send(_: &str) -> Result<(), TaskError> { Ok(()) }
    /// async fn send_welcome(email: String, cx: TaskContext) -> Result<(), TaskError> {
    ///     let greeting = cx.step("write", async || Ok(format!("Welcome, {email}"))).await?;
    ///     cx.step("send", || send(&greeting)).await
    /// }
    /// ```
    pub async fn step<T, W>(&self, name: &str, work: impl FnOnce() -> W) -> Result<T, TaskError>
    where
        T: Payload,
        W: Future<Output: IsResult<Value = T>>,
    {
        let attempt = &self.attempt;
        let read = |json| decode::<T>(&json).map_err(|error| mismatch(name, &error));
        let (step, stored) = attempt.step(name).await?;
        if let Some(stored) = stored {
            return read(stored);
        }
        let clock = &attempt.app().ports().clock;
        let started = clock.now();
        let value = work().await.into_result()?;
        let took = until(started, clock.now());
        let json = encode(&value).map_err(|error| unusable(name, format_args!("can't be serialized: {error}")))?;
        json.check().map_err(|error| unusable(name, format_args!("can't be used: {error}")))?;
        let (bytes, allowed) = (json.bytes(), limits::MESSAGE_BYTES);
        if bytes > allowed {
            let error = unusable(name, format_args!("has {bytes} bytes (allowed: {allowed})"));
            return Err(error.code(code::TOO_LARGE));
        }
        decode::<T>(&json).map_err(|error| {
            unusable(name, format_args!("can't be read back: at {}: {}", error.path(), error.inner()))
        })?;
        match step.store(json, took).await? {
            Some(first) => read(first),
            None => Ok(value),
        }
    }
}

fn unusable(name: &str, why: std::fmt::Arguments<'_>) -> TaskError {
    TaskError::terminal(format!("the value of step {name:?} {why}"))
}

/// A stored value of another type: a deploy may mend it, as it may a stored input.
fn mismatch(name: &str, error: &crate::payload::Mismatch) -> TaskError {
    let (place, cause) = (error.path(), error.inner());
    let text = format!("the stored value of step {name:?} is none of its type any more: at {place}: {cause}");
    TaskError::from(text).code(code::INPUT_MISMATCH)
}
