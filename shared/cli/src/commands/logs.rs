//! The log of a run, whole or as it grows.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use console::style;
use dacapo::{Client, LogEntry, LogLevel};
use dacapo_dashboard::show::pretty;
use dacapo_domain::Id;

use super::interval::Interval;
use crate::{context::Context, failure::CliResult, output::plain, values::run_id};

/// The log of a run, by iteration and attempt.
#[derive(Debug, Args)]
pub struct Logs {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
    /// Go on with what it logs from now on, until it has ended
    #[arg(long)]
    follow: bool,
}

impl Logs {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        if self.follow {
            return self.goes_on(cx, &client).await;
        }
        let entries = client.logs(self.id).await?;
        Ok(cx.output.give(&BTreeMap::from([("logs", &entries)]), || match entries.is_empty() {
            true => "nothing was logged".to_owned(),
            false => text(&entries, None),
        }))
    }

    async fn goes_on(self, cx: &Context<'_>, client: &Client) -> CliResult<ExitCode> {
        let (mut last, mut interval): (Option<LogEntry>, _) = (None, Interval::default());
        loop {
            // What a run logs before its end is there once it has ended.
            let is_over = client.state(self.id).await?.state.is_final();
            let after = last.as_ref().map(LogEntry::sort);
            let entries = client.logs_after(self.id, after.as_deref()).await?;
            for entry in &entries {
                if !cx.output.add(entry, || text(std::slice::from_ref(entry), last.as_ref())) {
                    return Ok(ExitCode::SUCCESS);
                }
                last = Some(entry.clone());
            }
            if is_over {
                return Ok(ExitCode::SUCCESS);
            }
            interval.after(!entries.is_empty()).await;
        }
    }
}

fn is_same_try(a: &LogEntry, b: &LogEntry) -> bool {
    (a.iteration, a.attempt) == (b.iteration, b.attempt)
}

/// The entries that come after this one, with a heading for each attempt that begins.
fn text(entries: &[LogEntry], before: Option<&LogEntry>) -> String {
    let mut text = String::new();
    for group in entries.chunk_by(is_same_try) {
        if !before.is_some_and(|before| is_same_try(before, &group[0])) {
            let heading = format!("iteration {}, attempt {}", group[0].iteration, group[0].attempt);
            text += &format!("{}\n", style(heading).dim());
        }
        group.iter().for_each(|entry| text += &line(entry));
    }
    text
}

/// Data up to so long stands beside its message, longer data below it.
const BESIDE: usize = 60;

fn line(entry: &LogEntry) -> String {
    let message = match entry.level {
        LogLevel::Info => plain(&entry.message),
        LogLevel::Error => style(plain(&entry.message)).red().to_string(),
    };
    let below = |text: &str| format!("\n    {}", plain(text).replace('\n', "\n    "));
    let data = entry.data.as_ref().map(|data| match data.bytes() <= BESIDE {
        true => format!(" {}", plain(data.text())),
        false => below(&pretty(data)),
    });
    let error = entry.error.as_deref().map(below).unwrap_or_default();
    let time = entry.time.strftime("%T%.3f").to_string();
    format!("  {}  {message}{}{error}\n", style(time).dim(), style(data.unwrap_or_default()).dim())
}
