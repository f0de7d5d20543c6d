use std::process::ExitCode;

use clap::Args;
use dacapo_dashboard::show::ago;
use serde_json::json;

use super::wait;
use crate::{context::Context, failure::CliResult, values};

/// Prints the run's id as soon as the run can no longer be lost; with --wait, how it ended.
#[derive(Debug, Args)]
pub struct Run {
    /// The task's name
    task: String,
    /// The run's body: JSON, @FILE, or - for standard input [default: {}]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    body: Option<String>,
    /// The due time, such as "5 minutes" or "2027-01-31T08:00:00Z" [default: now]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    when: Option<String>,
    /// Idempotency key: a second call with it gives the first run's id
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// A tag that the run can be found by; may be given up to 10 times
    #[arg(long = "tag", value_name = "TEXT")]
    tags: Vec<String>,
    /// Wait for the run's end
    #[arg(long)]
    wait: bool,
}

impl Run {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let body = values::body(self.body.as_deref())?;
        let client = cx.client().await?;
        let mut run = client.run_by_name(&self.task, body).tags(self.tags);
        if let Some(text) = &self.when {
            run = run.at(text.as_str());
        }
        if let Some(key) = self.key {
            run = run.key(key);
        }
        let started = run.await?;
        let id = started.id();
        if self.wait {
            cx.output.note(&format!("run {id}"));
            return wait::until_its_end(cx, &client, id).await;
        }
        let document = json!({"id": id, "deduplicated": started.is_deduplicated()});
        let due = self.when.and_then(|text| dacapo_domain::When::from(text).resolve(client.ports().clock.now()).ok());
        Ok(cx.output.give(&document, || match (started.is_deduplicated(), due) {
            (true, _) => format!("run {id} was there before: it has the same key"),
            (false, Some(due)) => format!("run {id} is due {}", ago(due, client.ports().clock.now())),
            (false, None) => format!("run {id} started"),
        }))
    }
}
