//! Runs, shown: state, list.

use std::process::ExitCode;

use clap::Args;
use dacapo::{Client, ListFilter, StepView};
use dacapo_domain::{Id, RunView};
use jiff::Timestamp;
use serde::Serialize;

use super::interval::Interval;
use crate::{
    context::{Context, OfPlace},
    failure::CliResult,
    output,
    values::{RunFilter, run_id},
};

/// The run's record with result, error, body, input and steps.
#[derive(Debug, Args)]
pub struct State {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
    /// Show it anew as it changes, until it has ended
    #[arg(long)]
    watch: bool,
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
    /// Show the page anew as it changes, until interrupted
    #[arg(long, conflicts_with = "cursor")]
    watch: bool,
}

/// A page of runs, for programs.
#[derive(Serialize)]
struct Page<'a> {
    runs: &'a [RunView],
    cursor: Option<&'a str>,
    /// The bounds of time that the cursor is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    unreadable: &'a [String],
}

/// A run and its steps, for programs.
#[derive(Serialize)]
struct WithSteps<'a> {
    #[serde(flatten)]
    run: &'a RunView,
    steps: &'a [StepView],
}

impl State {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        if self.watch {
            return self.goes_on(cx, &client).await;
        }
        let (run, steps) = (client.state(self.id).await?, client.steps(self.id).await?);
        let document = WithSteps { run: &run, steps: &steps };
        Ok(cx.output.give(&document, || output::whole(&run, &steps, client.ports().clock.now())))
    }

    async fn goes_on(self, cx: &Context<'_>, client: &Client) -> CliResult<ExitCode> {
        let mut watch = client.watch(self.id);
        loop {
            let (run, steps) = (watch.next().await?, client.steps(self.id).await?);
            let document = WithSteps { run: &run, steps: &steps };
            let is_read = cx.output.replace(&document, || output::whole(&run, &steps, client.ports().clock.now()));
            if run.state.is_final() || !is_read {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

impl List {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        if self.watch {
            return self.goes_on(cx, &client).await;
        }
        let now = client.ports().clock.now();
        let filter = self.filter(now);
        let listed = client.list(filter.clone()).await?;
        Ok(cx.give_of_place(&client, &Page::of(&listed, &filter), || text(&listed, &filter, now)).await)
    }

    async fn goes_on(self, cx: &Context<'_>, client: &Client) -> CliResult<ExitCode> {
        let (mut last, mut interval) = (None, Interval::default());
        let place = cx.answered_by(client).await;
        loop {
            let now = client.ports().clock.now();
            let filter = self.filter(now);
            let listed = Some(client.list(filter.clone()).await?);
            let has_changed = listed != last;
            last = listed;
            // On a terminal its times grow older, too.
            let shown = last.as_ref().filter(|_| has_changed || cx.output.is_shown());
            if let Some(listed) = shown {
                let document = OfPlace { place: &place, document: &Page::of(listed, &filter) };
                if !cx.output.replace(&document, || format!("{place}\n{}", text(listed, &filter, now))) {
                    return Ok(ExitCode::SUCCESS);
                }
            }
            interval.after(has_changed).await;
        }
    }

    fn filter(&self, now: Timestamp) -> ListFilter {
        let (limit, cursor, unfinished) = (self.limit.into(), self.cursor.clone(), self.unfinished);
        ListFilter { unfinished, limit, cursor, ..self.filter.clone().filter(now) }
    }
}

impl<'a> Page<'a> {
    fn of(listed: &'a dacapo::Listed, filter: &ListFilter) -> Self {
        let (ListFilter { since, until, .. }, cursor) = (filter, listed.cursor.as_deref());
        Self { runs: &listed.runs, cursor, since: *since, until: *until, unreadable: &listed.unreadable }
    }
}

fn text(listed: &dacapo::Listed, filter: &ListFilter, now: Timestamp) -> String {
    let more = output::more(listed.cursor.as_deref(), filter.since, filter.until);
    output::page(output::runs(&listed.runs, now), &listed.unreadable, more)
}
