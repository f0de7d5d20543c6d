use std::process::ExitCode;

use clap::Args;
use console::style;
use dacapo::{LogEntry, LogLevel};
use dacapo_domain::Id;
use serde_json::json;

use crate::{context::Context, failure::CliResult, output::plain, values::run_id};

/// The log of a run, by iteration and attempt.
#[derive(Debug, Args)]
pub struct Logs {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
}

impl Logs {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        // An unknown run is an error, not a run that logged nothing.
        client.state(self.id).await?;
        let entries = client.logs(self.id).await?;
        Ok(cx.output.give(&json!({"logs": entries}), || text(&entries)))
    }
}

fn text(entries: &[LogEntry]) -> String {
    if entries.is_empty() {
        return "nothing was logged".to_owned();
    }
    let same_try = |a: &LogEntry, b: &LogEntry| (a.iteration, a.attempt) == (b.iteration, b.attempt);
    let mut text = String::new();
    for group in entries.chunk_by(same_try) {
        let heading = format!("iteration {}, attempt {}", group[0].iteration, group[0].attempt);
        text += &format!("{}\n", style(heading).dim());
        for entry in group {
            text += &line(entry);
        }
    }
    text
}

fn line(entry: &LogEntry) -> String {
    let message = match entry.level {
        LogLevel::Info => plain(&entry.message),
        LogLevel::Error => style(plain(&entry.message)).red().to_string(),
    };
    let data = entry.data.as_ref().map(|data| format!(" {}", plain(data.text()))).unwrap_or_default();
    let error = entry.error.as_ref().map(|error| format!("\n    {}", plain(error).replace('\n', "\n    ")));
    let time = entry.time.strftime("%T%.3f").to_string();
    format!("  {}  {message}{}{}\n", style(time).dim(), style(data).dim(), error.unwrap_or_default())
}
