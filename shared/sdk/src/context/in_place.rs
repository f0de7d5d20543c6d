use dacapo_core::attempt::TaskAttempt;
use dacapo_domain::Retry;

use crate::{TaskError, handler::IsResult};

/// Retries some work within an attempt.
pub(super) async fn retry<T, W>(
    attempt: &TaskAttempt,
    policy: Retry,
    mut work: impl FnMut() -> W,
) -> Result<T, TaskError>
where
    W: Future<Output: IsResult<Value = T>>,
{
    policy.check().map_err(TaskError::terminal)?;
    let clock = &attempt.app().ports().clock;
    let first = clock.now();
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match work().await.into_result() {
            Err(error) if !error.is_terminal() && tries < policy.max_attempts() => error,
            result => return result,
        };
        let cx = clock.decision_context();
        let by_policy = cx.now + policy.delay(tries, cx.unit_interval());
        let due_at = error.asked_for(cx.now).unwrap_or(by_policy);
        let pause = dacapo_domain::until(cx.now, due_at);
        let is_too_old = policy.max_age().is_some_and(|age| dacapo_domain::until(first, due_at) > age);
        if is_too_old || pause >= attempt.limit().remaining() {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
    }
}
