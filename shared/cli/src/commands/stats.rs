//! The health of the app: one verdict, what to look at first, and the numbers behind it.

use std::process::ExitCode;

use clap::Args;
use console::style;
use dacapo::{Finding, Health, TaskHealth};
use dacapo_dashboard::show::{ago, at_least, dead_letters};
use jiff::Timestamp;

use crate::{
    context::Context,
    failure::{CliResult, exit},
    output::{Table, line, quoted},
};

/// Exits with 0 if the app is well, with 1 if something needs a look.
#[derive(Debug, Args)]
pub struct Stats {}

impl Stats {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let (health, now) = (client.health().await?, client.ports().clock.now());
        let given = cx.give_of_place(&client, &health, || text(&health, now, &cx.global.typed_place)).await;
        Ok(if health.is_well() { given } else { ExitCode::from(exit::FAILED) })
    }
}

fn text(health: &Health, now: Timestamp, place: &str) -> String {
    let mut lines = match health.is_well() {
        true => vec![style("all is well").green().bold().to_string()],
        false => vec![style("needs a look").red().bold().to_string()],
    };
    for finding in &health.findings {
        lines.push(format!("  {}  {}", says(finding, now), style(next(finding) + place).dim()));
    }
    lines.push(String::new());
    lines.push(table(&health.tasks, now));
    let (retrying, dead) = (at_least(health.retrying), dead_letters(health.dead_letters));
    lines.push(format!("deliveries: {retrying} tried again, {dead}"));
    if health.has_more {
        lines.push("there are more unfinished runs than were counted: those that are due first".to_owned());
    }
    lines.join("\n")
}

/// A finding in words.
pub fn says(finding: &Finding, now: Timestamp) -> String {
    match finding {
        Finding::Overdue { task, count, oldest_due_at } => {
            format!("{}: {count} overdue, the first was due {}", line(task, 48), ago(*oldest_due_at, now))
        }
        Finding::Failing { task, failed, ended } => format!("{}: {failed} of the last {ended} failed", line(task, 48)),
        Finding::DeadLetters { count } => dead_letters(*count),
        Finding::Paused { queue } => format!("queue {} is paused, and runs wait for it", line(queue, 48)),
    }
}

/// The command to go on with, at the default place.
pub fn next(finding: &Finding) -> String {
    match finding {
        Finding::Overdue { task, .. } => format!("dacapo list --unfinished --task {}", quoted(task)),
        Finding::Failing { task, .. } => format!("dacapo list --state failed --task {}", quoted(task)),
        Finding::DeadLetters { .. } => "dacapo dead-letters list".to_owned(),
        Finding::Paused { queue } => format!("dacapo queues resume {}", quoted(queue)),
    }
}

fn table(tasks: &[TaskHealth], now: Timestamp) -> String {
    let mut table = Table::new(&["TASK", "DUE", "OLDEST", "RUNNING", "PARKED", "PAUSED", "WAITING", "FAILED"]);
    for it in tasks {
        table.row([
            line(&it.task, 48),
            it.due.to_string(),
            it.oldest_due_at.map_or_else(|| "-".to_owned(), |at| ago(at, now)),
            it.running.to_string(),
            it.parked.to_string(),
            it.paused.to_string(),
            it.waiting.to_string(),
            format!("{} of {}", it.failed, it.ended),
        ]);
    }
    table.text()
}
