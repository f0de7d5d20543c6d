use std::process::ExitCode;

use clap::Args;
use dacapo_domain::Id;
use serde_json::json;

use super::{Context, run_id};
use crate::{body, failure::Done};

/// A new run, linked to the earlier one.
#[derive(Debug, Args)]
pub struct Replay {
    /// The earlier run's id
    #[arg(value_parser = run_id)]
    id: Id,
    /// Another body: JSON, @FILE, or - for standard input [default: the earlier run's]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    body: Option<String>,
}

impl Replay {
    pub async fn run(self, cx: &Context<'_>) -> Done<ExitCode> {
        let body = self.body.as_deref().map(|given| body::read(Some(given))).transpose()?;
        let client = cx.client().await?;
        let started = client.replay(self.id, body).await?;
        let id = started.id();
        Ok(cx
            .output
            .give(&json!({"id": id, "deduplicated": started.is_deduplicated()}), || format!("run {id} started")))
    }
}
