//! Sends the mail that welcomes a user: a task with an `init` hook that a test replaces.

mod mailer;

use app::{SEND_WELCOME, Welcome};
use dacapo::prelude::*;

pub use mailer::Mailer;

/// The task.
pub fn function() -> impl Function {
    definition().init(|_| Mailer::connect())
}

/// The same with another mailer, for tests.
pub fn with(mailer: Mailer) -> impl Function {
    definition().value(mailer)
}

fn definition() -> Task<Welcome, (), Mailer> {
    task(SEND_WELCOME, send_welcome)
        .timeout(minutes(1))
        .retry(Retry::attempts(5))
        .on_failure(async |failure, cx| Ok(cx.log_info("nobody was welcomed", failure).await?))
}

async fn send_welcome(user: Welcome, cx: TaskContext<Mailer>) -> Result<(), TaskError> {
    if !user.email.contains('@') {
        return Err(TaskError::terminal(format!("{:?} is not an email address", user.email)).code("BAD_EMAIL"));
    }
    cx.init().send(&user.email, &format!("Welcome, {}", user.email)).await
}
