//! Sends the mail that welcomes a user, once: a task with steps, and an `init` hook that a test replaces.

use std::sync::{Arc, Mutex, PoisonError};

use app::{SEND_WELCOME, Welcome};
use dacapo::prelude::*;

/// Sends mail; this sample's keeps it instead. Clones share what they keep.
#[derive(Clone, Debug, Default)]
pub struct Mailer {
    sent: Arc<Mutex<Vec<String>>>,
}

impl Mailer {
    /// Connects to the mail server: here would be an address, and a password out of a vault.
    async fn connect() -> Result<Self, TaskError> {
        Ok(Self::default())
    }

    /// Sends a text.
    async fn send(&self, to: &str, text: &str) -> Result<(), TaskError> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{to}: {text}"));
        Ok(())
    }

    /// The mails that were sent, the first first.
    #[must_use]
    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

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
    let greeting = cx.step("write", async || Ok(format!("Welcome, {}", user.email))).await?;
    cx.step("send", || cx.init().send(&user.email, &greeting)).await
}
