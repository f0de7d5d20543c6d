//! Pieces that more than one page shows of a run.

use dacapo_domain::{Json, RunView, State, until};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::show::{ago, pretty, took};

/// The state, with its colour.
pub fn state(state: State) -> Markup {
    html! { span class={ "state " (state.name()) } { (state.name()) } }
}

/// A moment as seen from now, and in full when pointed at.
pub fn moment(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) { (ago(at, now)) } }
}

/// The time of the run's end, if it has ended.
pub fn ended_at(run: &RunView) -> Option<Timestamp> {
    run.completed_at.or(run.failed_at).or(run.aborted_at).or(run.expired_at)
}

/// From its first attempt to its end, or to now.
pub fn duration(run: &RunView, now: Timestamp) -> Markup {
    let span = run.started_at.map(|from| until(from, ended_at(run).unwrap_or(now)));
    html! { @match span { Some(span) => (took(span)), None => span class="soft" { "–" } } }
}

/// The run's progress: a bar for an unfinished run, and what it said last.
pub fn progress(run: &RunView) -> Markup {
    html! {
        @if let Some(percent) = run.percent() {
            @if !run.state.is_final() {
                progress max="100" value=(percent) aria-label="Progress" { (percent) " %" }
            }
            span class="soft" { (run.progress_message.as_deref().unwrap_or_default()) }
            @if !run.state.is_final() { span class="soft" { " · " (percent) " %" } }
        }
    }
}

/// A JSON value under its name.
pub fn value(name: &str, json: Option<&Json>) -> Markup {
    html! {
        @if let Some(json) = json {
            section { h2 { (name) } pre tabindex="0" aria-label=(name) { (pretty(json)) } }
        }
    }
}
