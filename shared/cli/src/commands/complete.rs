//! A token, completed.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::{context::Context, failure::CliResult, values};

/// The run that waits for the token goes on; one that doesn't wait yet won't have to. A token is completed once.
#[derive(Debug, Args)]
pub struct Complete {
    /// The token's text, as its run's handler gave it
    #[arg(allow_hyphen_values = true)]
    token: String,
    /// The value: JSON, @FILE, or - for standard input
    #[arg(allow_hyphen_values = true)]
    value: String,
}

impl Complete {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let value = values::json("the value", &self.value)?;
        let completed = cx.client().await?.complete(&self.token, value).await?;
        let (run, token) = (completed.run, completed.token);
        Ok(cx
            .output
            .give(&json!({"run": run, "token": token}), || format!("token {token:?} of run {run} is completed")))
    }
}
