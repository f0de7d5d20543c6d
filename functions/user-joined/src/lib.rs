//! Handles a new user's arrival: two handlers of one event, each with its own timeout, and one of a task's failure.

use app::{SEND_WELCOME, USER_JOINED, UserJoined, Welcome};
use dacapo::prelude::*;

/// The handlers.
pub fn function() -> impl Function {
    [
        on(USER_JOINED, welcome),
        on(USER_JOINED, count).timeout(seconds(10)).dead_letter(),
        on(lifecycle::failed(SEND_WELCOME), count_unwelcomed),
    ]
}

/// Five minutes later a mail, once for each address.
async fn welcome(user: UserJoined, cx: EventContext) -> Result<(), TaskError> {
    let key = format!("welcome {}", user.email);
    cx.run(SEND_WELCOME, Welcome { email: user.email }).after(minutes(5)).key(key).await?;
    Ok(())
}

/// A line in the function's log, where a metric filter counts it.
async fn count(user: UserJoined, cx: EventContext) -> Result<(), TaskError> {
    let domain = user.email.rsplit_once('@').map_or("nowhere", |(_, domain)| domain);
    tracing::info!(event = %cx.id(), domain, "somebody joined");
    Ok(())
}

/// The same for a user whom no mail reached, whatever the cause.
async fn count_unwelcomed(run: RunView, _: EventContext) -> Result<(), TaskError> {
    tracing::warn!(run = %run.id, error = run.error_message, "nobody was welcomed");
    Ok(())
}
