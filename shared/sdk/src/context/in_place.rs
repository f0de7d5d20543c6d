use dacapo_domain::Retry;

use crate::{TaskError, handler::IsResult, runner::Attempt};

/// Retries some work within an attempt.
pub(super) async fn retry<T, W>(attempt: &Attempt, policy: Retry, mut work: impl FnMut() -> W) -> Result<T, TaskError>
where
    W: Future<Output: IsResult<Value = T>>,
{
    policy.check().map_err(TaskError::terminal)?;
    let clock = &attempt.client().ports().clock;
    let first = clock.now();
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match work().await.into_result() {
            Err(error) if !error.is_terminal() && tries < policy.max_attempts() => error,
            result => return result,
        };
        let moment = clock.moment();
        let by_policy = moment.now + policy.delay(tries, moment.roll());
        let due_at = error.asked_for(moment.now).unwrap_or(by_policy);
        let pause = dacapo_domain::until(moment.now, due_at);
        let is_too_old = policy.max_age().is_some_and(|age| dacapo_domain::until(first, due_at) > age);
        if is_too_old || pause >= attempt.limit().remaining() {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
    }
}
