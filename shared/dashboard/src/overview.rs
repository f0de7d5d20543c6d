//! The app at a glance: what needs a look, what each task does, how much ended and failed in the last hours.

use std::time::Duration;

use axum::{extract::State, response::Response};
use dacapo::{Finding, Health, ListFilter, Listed, RunView, State as RunState, TaskHealth};
use dacapo_domain::until;
use jiff::Timestamp;
use maud::{Markup, html};

use crate::{
    chart::{self, Column},
    list::{self, address},
    page::{DEAD_LETTERS, Dashboard, Frame, Page, PageError, runs_of},
    run::parts,
    show::{ago, at_least, dead_letters, plain},
};

/// The columns of the chart, and the time of them all.
const COLUMNS: usize = 24;
const SHOWN: Duration = Duration::from_hours(6);
/// The runs that the chart counts, at most: the newest.
const COUNTED: usize = 1_000;

/// `GET /overview`
pub async fn show(State(dashboard): State<Dashboard>) -> Response {
    dashboard.respond(page(&dashboard)).await
}

async fn page(dashboard: &Dashboard) -> Result<Page, PageError> {
    let (health, now) = (dashboard.client.health().await?, dashboard.now());
    let since = now.checked_sub(SHOWN).ok();
    let recent = dashboard.client.list(ListFilter { since, limit: COUNTED, ..ListFilter::default() }).await?;
    let rows: Vec<Markup> = health.tasks.iter().map(|task| row(task, now)).collect();
    let headings = ["Task", "Due", "Running", "Stands in line", "Paused", "Waits", "Failed lately"];
    let content = html! {
        h1 { "Overview" }
        (verdict(&health, now))
        div class="sheet" { h2 { "Runs of the last 6 hours, by their end" } (throughput(&recent, now)) }
        h2 { "Tasks" }
        (list::table(&headings, &rows, &html! { "The app has no tasks." }))
        @if health.has_more { p class="soft" { "There are more unfinished runs; those that are due first are counted." } }
        p class="soft" {
            "Deliveries: " a href="/deliveries?state=retrying" { (at_least(health.retrying)) " tried again" } ", "
            a href=(DEAD_LETTERS) { (dead_letters(health.dead_letters)) } "."
        }
    };
    Ok(dashboard.page(&Frame { title: "Overview", at: "/overview", refresh: Some(30) }, &content))
}

fn verdict(health: &Health, now: Timestamp) -> Markup {
    html! {
        @if health.is_well() {
            p class="sheet well" { span class="state completed" { "All is well" } }
        } @else {
            ul class="notice findings" aria-label="What needs a look" {
                @for finding in &health.findings { li { a href=(leads_to(finding)) { (says(finding, now)) } } }
            }
        }
    }
}

fn says(finding: &Finding, now: Timestamp) -> Markup {
    html! {
        @match finding {
            Finding::Overdue { task, count, oldest_due_at } => {
                b { (plain(task)) } ": " (count) " overdue, the first was due " (parts::moment(*oldest_due_at, now))
            },
            Finding::Failing { task, failed, ended } => { b { (plain(task)) } ": " (failed) " of the last " (ended) " failed" },
            Finding::DeadLetters { count } => { (dead_letters(*count)) },
            Finding::Paused { queue } => { "queue " b { (plain(queue)) } " is paused, and runs wait for it" },
        }
    }
}

fn leads_to(finding: &Finding) -> String {
    match finding {
        Finding::Overdue { task, .. } => address("/", &[("task", &**task), ("state", "submitted")]),
        Finding::Failing { task, .. } => address("/", &[("task", &**task), ("state", "failed")]),
        Finding::DeadLetters { .. } => DEAD_LETTERS.to_owned(),
        Finding::Paused { .. } => "/queues".to_owned(),
    }
}

fn row(task: &TaskHealth, now: Timestamp) -> Markup {
    html! {
        tr {
            td data-label="Task" { a href=(runs_of("task", &task.task)) { (plain(&task.task)) } }
            td class="tight" data-label="Due" {
                (task.due) @if let Some(since) = task.oldest_due_at { span class="soft" { " since " (parts::moment(since, now)) } }
            }
            td data-label="Running" { (task.running) }
            td data-label="In line" { (task.parked) }
            td data-label="Paused" { (task.paused) }
            td data-label="Waits" { (task.waiting) }
            td class="tight" data-label="Failed" {
                @if task.ended == 0 { span class="soft" { "none ended" } } @else { (task.failed) " of " (task.ended) }
            }
        }
    }
}

/// The runs that ended, by the time of their end: since the oldest of them was made, where older ones weren't read.
fn throughput(recent: &Listed, now: Timestamp) -> Markup {
    let oldest = recent.runs.last().filter(|_| recent.cursor.is_some());
    let from = oldest.map_or_else(|| now.checked_sub(SHOWN).unwrap_or(now), |run| run.created_at);
    let columns = by_time(&recent.runs, from, now);
    let (failed, others) = columns.iter().fold((0, 0), |(a, b), it| (a + it.failed, b + it.others));
    let says = format!("{others} ended well or were aborted, {failed} failed");
    html! {
        (chart::columns(&columns, &says))
        div class="axis soft" { span { (ago(from, now)) } span { "now" } }
        p class="soft" {
            (says) @if recent.cursor.is_some() { "; of the last " (COUNTED) " runs" } "."
        }
    }
}

fn by_time(runs: &[RunView], from: Timestamp, now: Timestamp) -> Vec<Column> {
    let mut columns = vec![Column::default(); COLUMNS];
    // As far as the clocks of those that wrote them agree, all ended between the two.
    let whole = until(from, now).as_millis().max(1);
    for run in runs {
        let Some(ended_at) = run.ended_at() else { continue };
        let index = until(from, ended_at).as_millis() * COLUMNS as u128 / whole;
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(column) = columns.get_mut(index.min(COLUMNS - 1)) else { continue };
        match run.state {
            RunState::Failed => column.failed += 1,
            _ => column.others += 1,
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One run was created an hour ago and ended at once.
    fn chart(cursor: Option<&str>) -> String {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let text = r#"{"id":"01KDVJ29Q0Q0B9FME0N1VT25N3","name":"a","state":"completed","trigger":"run","tags":[],
            "attempt":1,"iteration":1,"createdAt":"2026-01-01T11:00:00Z","dueAt":"2026-01-01T11:00:00Z",
            "completedAt":"2026-01-01T11:00:00Z"}"#;
        let runs = vec![serde_json::from_str(text).unwrap()];
        let recent = Listed { runs, cursor: cursor.map(ToOwned::to_owned), ..Listed::default() };
        throughput(&recent, now).into_string()
    }

    #[test]
    fn chart_begins_six_hours_ago_or_with_the_oldest_run_that_was_read_where_there_are_more() {
        let all = chart(None);
        assert!(all.contains("<span>6 h ago</span>") && all.contains("x=\"83.33%\""), "{all}");
        let some = chart(Some("more"));
        assert!(some.contains("<span>1 h ago</span>") && some.contains("x=\"0.00%\""), "{some}");
    }
}
