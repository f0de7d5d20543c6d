//! Runs, shown: state, list, logs.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use console::style;
use dacapo::{ListFilter, LogEntry, LogLevel, StepView};
use dacapo_domain::{Id, RunView};
use serde::Serialize;

use crate::{
    context::Context,
    failure::CliResult,
    output::{self, plain},
    values::{RunFilter, run_id},
};

/// The run's record with body, input, result, error and steps.
#[derive(Debug, Args)]
pub struct State {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
}

/// A page of runs, newest first, or unfinished ones by when they are due.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    filter: RunFilter,
    /// Unfinished runs alone, by when they are due, the soonest first
    #[arg(long)]
    unfinished: bool,
    /// The number of runs, at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// The cursor that the page before ended with
    #[arg(long, value_name = "TEXT")]
    cursor: Option<String>,
}

/// A page of runs, for programs.
#[derive(Serialize)]
struct Page<'a> {
    runs: &'a [RunView],
    cursor: Option<&'a str>,
    unreadable: &'a [String],
}

/// A run and its steps, for programs.
#[derive(Serialize)]
struct WithSteps<'a> {
    #[serde(flatten)]
    run: &'a RunView,
    steps: &'a [StepView],
}

/// The log of a run, by iteration and attempt.
#[derive(Debug, Args)]
pub struct Logs {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
}

impl State {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let (run, steps) = (client.state(self.id).await?, client.steps(self.id).await?);
        let document = WithSteps { run: &run, steps: &steps };
        Ok(cx.output.give(&document, || output::whole(&run, &steps, client.ports().clock.now())))
    }
}

impl List {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let Self { filter, unfinished, limit, cursor } = self;
        let filter = filter.filter(client.ports().clock.now());
        let listed = client.list(ListFilter { unfinished, limit: limit.into(), cursor, ..filter }).await?;
        let document = Page { runs: &listed.runs, cursor: listed.cursor.as_deref(), unreadable: &listed.unreadable };
        Ok(cx.output.give(&document, || {
            let table = output::runs(&listed.runs, client.ports().clock.now());
            output::page(table, &listed.unreadable, listed.cursor.as_deref())
        }))
    }
}

impl Logs {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        // An unknown run is an error, not a run that logged nothing.
        client.state(self.id).await?;
        let entries = client.logs(self.id).await?;
        Ok(cx.output.give(&BTreeMap::from([("logs", &entries)]), || log(&entries)))
    }
}

fn log(entries: &[LogEntry]) -> String {
    if entries.is_empty() {
        return "nothing was logged".to_owned();
    }
    let same_try = |a: &LogEntry, b: &LogEntry| (a.iteration, a.attempt) == (b.iteration, b.attempt);
    let mut text = String::new();
    for group in entries.chunk_by(same_try) {
        let heading = format!("iteration {}, attempt {}", group[0].iteration, group[0].attempt);
        text += &format!("{}\n", style(heading).dim());
        for entry in group {
            text += &log_line(entry);
        }
    }
    text
}

fn log_line(entry: &LogEntry) -> String {
    let message = match entry.level {
        LogLevel::Info => plain(&entry.message),
        LogLevel::Error => style(plain(&entry.message)).red().to_string(),
    };
    let data = entry.data.as_ref().map(|data| format!(" {}", plain(data.text()))).unwrap_or_default();
    let error = entry.error.as_ref().map(|error| format!("\n    {}", plain(error).replace('\n', "\n    ")));
    let time = entry.time.strftime("%T%.3f").to_string();
    format!("  {}  {message}{}{}\n", style(time).dim(), style(data).dim(), error.unwrap_or_default())
}
