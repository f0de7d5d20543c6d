//! A run's log, an iteration after the other.

use dacapo::{LogEntry, LogLevel};
use maud::{Markup, html};

use crate::show::pretty;

/// All entries by iteration and attempt. The last iteration is open, the others unfold.
pub fn show(entries: &[LogEntry]) -> Markup {
    let last = entries.last().map(|entry| entry.iteration);
    let same_try = |a: &LogEntry, b: &LogEntry| (a.iteration, a.attempt) == (b.iteration, b.attempt);
    html! {
        @if entries.is_empty() { p class="soft" { "Nothing was logged." } }
        @for group in entries.chunk_by(same_try) {
            @let first = &group[0];
            details id={ "log-" (first.iteration) "-" (first.attempt) } open[Some(first.iteration) == last] {
                summary class="soft" {
                    "Iteration " (first.iteration) ", attempt " (first.attempt) " · "
                    (group.len()) @if group.len() == 1 { " entry" } @else { " entries" }
                }
                ol class="log" { @for entry in group { (line(entry)) } }
            }
        }
    }
}

fn line(entry: &LogEntry) -> Markup {
    html! {
        li class=[(entry.level == LogLevel::Error).then_some("error")] {
            time datetime=(entry.time) title=(entry.time) { (entry.time.strftime("%T%.3f")) }
            div class="said" {
                span { (entry.message) }
                @if let Some(data) = &entry.data { pre { (pretty(data)) } }
                @if let Some(error) = &entry.error { pre { (error) } }
            }
        }
    }
}
