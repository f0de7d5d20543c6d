//! A run's history: its times, and its log.

use std::time::Duration;

use dacapo::{LogEntry, LogLevel, StepView};
use dacapo_domain::{RunView, State};
use jiff::Timestamp;
use maud::{Markup, html};

use super::parts;
use crate::show::{plain, shorten, took};

/// A place of a timeline.
struct Place<'a> {
    name: &'a str,
    at: Timestamp,
    class: &'a str,
    step: Option<&'a StepView>,
}

/// The list of moments and steps, earliest first, and what is still to come.
pub fn timeline(run: &RunView, steps: &[StepView], now: Timestamp) -> Markup {
    html! {
        ol class="timeline" {
            @for Place { name, at, class, step } in moments(run, steps) {
                @let class = if at > now { "ahead" } else { class };
                li class=[(!class.is_empty()).then_some(class)] {
                    b { (plain(&shorten(name, SHOWN_NAME))) } " "
                    small { (parts::moment(at, now)) }
                    @if let Some(step) = step { small { (made(step)) } }
                    small { (parts::clock(at)) }
                }
            }
        }
    }
}

/// The making of a step, in words.
fn made(step: &StepView) -> String {
    let StepView { iteration, attempt, took_ms, bytes, .. } = step;
    let took = took(Duration::from_millis(*took_ms));
    format!("step of iteration {iteration}, attempt {attempt} · took {took} · {bytes} bytes")
}

/// Bytes of a step's name that a page shows, at most.
const SHOWN_NAME: usize = 128;

/// Entries of a log that one page shows.
pub const ENTRIES: usize = 200;

/// Bytes of one text of an entry that a page shows, at most.
const SHOWN: usize = 4 * 1024;

/// A stretch of a log by iteration and attempt, with links to what is before and to its end. The last iteration is open,
/// the others unfold.
pub fn log(run: &RunView, entries: &[LogEntry], is_earlier: bool) -> Markup {
    let last = entries.last().map(|entry| entry.iteration);
    let first = entries.first().filter(|_| entries.len() == ENTRIES).map(LogEntry::sort);
    let same_try = |a: &LogEntry, b: &LogEntry| (a.iteration, a.attempt) == (b.iteration, b.attempt);
    html! {
        @if entries.is_empty() { p class="soft" { "Nothing was logged" @if is_earlier { " before" } "." } }
        @if let Some(first) = first {
            p { a href={ "/run/" (run.id.to_string()) "?before=" (first) } rel="prev" { "← Earlier entries" } }
        }
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
        @if is_earlier { p { a href={ "/run/" (run.id.to_string()) } { "The last entries →" } } }
    }
}

fn moments<'a>(run: &RunView, steps: &'a [StepView]) -> Vec<Place<'a>> {
    let next = match run.state {
        State::Waiting => run.next_at().map(|at| ("next iteration", at, "")),
        State::Submitted if run.started_at.is_some() => Some(("next attempt", run.due_at, "")),
        _ => None,
    };
    let once = [
        Some(("created", run.created_at, "")),
        run.scheduled_at.map(|at| ("due", at, "")),
        run.submitted_at.filter(|at| Some(*at) != run.scheduled_at).map(|at| ("submitted", at, "")),
        run.started_at.map(|at| ("started", at, "")),
        next,
        run.paused_at.map(|at| ("paused", at, "")),
        run.completed_at.map(|at| ("completed", at, "completed")),
        run.failed_at.map(|at| ("failed", at, "failed")),
        run.aborted_at.map(|at| ("aborted", at, "")),
        run.expired_at.map(|at| ("expired", at, "")),
    ];
    let once = once.into_iter().flatten().map(|(name, at, class)| Place { name, at, class, step: None });
    let steps = steps.iter().map(|step| Place { name: &step.name, at: step.at, class: "", step: Some(step) });
    let mut moments: Vec<_> = once.chain(steps).collect();
    moments.sort_by_key(|moment| moment.at);
    moments
}

fn line(entry: &LogEntry) -> Markup {
    html! {
        li class=[(entry.level == LogLevel::Error).then_some("error")] {
            time datetime=(entry.time) title=(entry.time) data-shows="time" { (entry.time.strftime("%T%.3f")) }
            div class="said" {
                span { (plain(&shorten(&entry.message, SHOWN))) }
                @if let Some(data) = &entry.data { pre { (parts::laid_out(data, SHOWN)) } }
                @if let Some(error) = &entry.error { pre { (plain(&shorten(error, SHOWN))) } }
            }
        }
    }
}
