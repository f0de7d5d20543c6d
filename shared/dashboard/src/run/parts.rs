//! Pieces that more than one page shows of a run.

use dacapo_domain::{Json, RunView, State, until};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::show::{ago, plain, pretty, shorten, took};

/// The state, with its colour.
pub fn state(state: State) -> Markup {
    html! { span class={ "state " (state.name()) } { (state.name()) } }
}

/// An id that is taken whole: by one click, or with JavaScript by a button.
pub fn id(id: &str) -> Markup {
    html! {
        span class="id soft" { (plain(id)) } " "
        button type="button" class="scripted copy" data-copy=(id) aria-label="Copy the id" { "Copy" }
    }
}

/// A moment as seen from now, and in full when pointed at.
pub fn moment(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) { (ago(at, now)) } }
}

/// A moment in full, in UTC; with JavaScript in the reader's time zone.
pub fn clock(at: Timestamp) -> Markup {
    html! { time datetime=(at) data-shows="moment" { (at.strftime("%F %T")) " UTC" } }
}

/// From its first attempt to its end, or to now.
pub fn duration(run: &RunView, now: Timestamp) -> Markup {
    let span = run.started_at.map(|from| until(from, run.ended_at().unwrap_or(now)));
    html! { @match span { Some(span) => (took(span)), None => span class="soft" { "–" } } }
}

/// The run's progress: a bar for an unfinished run, and what it said last.
pub fn progress(run: &RunView) -> Markup {
    html! {
        @if let Some(percent) = run.percent() {
            @if !run.state.is_final() {
                progress max="100" value=(percent) aria-label="Progress" { (percent) " %" }
            }
            span class="soft" { (plain(run.progress_message.as_deref().unwrap_or_default())) }
            @if !run.state.is_final() { span class="soft" { " · " (percent) " %" } }
        }
    }
}

/// The error of a run or a delivery, with its causes behind a click.
pub fn error(message: Option<&str>, code: Option<&str>, stack: Option<&str>) -> Markup {
    html! {
        @if let Some(message) = message {
            div class="notice" {
                b { (plain(code.unwrap_or("ERROR"))) } " " (plain(message))
                @if let Some(stack) = stack {
                    details id="stack" { summary { "Causes" } pre tabindex="0" aria-label="Causes" { (plain(stack)) } }
                }
            }
        }
    }
}

/// Bytes of a value that a page shows, at most.
const SHOWN: usize = 64 * 1024;

/// A JSON value under its name; of a long one, the beginning.
pub fn value(name: &str, json: Option<&Json>) -> Markup {
    html! {
        @if let Some(json) = json {
            section {
                h2 { (name) }
                pre tabindex="0" aria-label=(name) { (laid_out(json, SHOWN)) }
                @if json.bytes() > SHOWN { p class="soft" { "`dacapo state` gives all of it." } }
            }
        }
    }
}

/// A JSON value with a line for each value within; the beginning of its text, where it is longer than so many bytes.
pub fn laid_out(json: &Json, bytes: usize) -> String {
    match json.bytes() > bytes {
        true => plain(&shorten(json.text(), bytes)),
        false => plain(&pretty(json)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_that_is_out_of_range_is_shown_within_it() {
        for (fraction, shown) in [("1e308", "100"), ("-5.0", "0"), ("0.42", "42")] {
            let text = format!(
                r#"{{"id":"01KDVJ29Q0Q0B9FME0N1VT25N3","name":"x","state":"running","trigger":"run","tags":[],"attempt":1,
                "iteration":1,"createdAt":"2026-01-01T00:00:00Z","dueAt":"2026-01-01T00:00:00Z","progressPercent":{fraction}}}"#
            );
            let run: RunView = serde_json::from_str(&text).unwrap();
            assert!(progress(&run).0.contains(&format!("value=\"{shown}\"")), "{}", progress(&run).0);
        }
    }
}
