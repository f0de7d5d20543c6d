//! A run's life as bars on a line of time: its waits, its attempts, its steps.

use std::{borrow::Cow, time::Duration};

use dacapo::{LogEntry, StepView};
use dacapo_domain::{RunView, State, until};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::{
    chart::{self, Window},
    show::{plain, shorten, took},
};

/// Bars that one page shows.
const SHOWN: usize = 60;

/// A part of a life.
#[derive(Debug, PartialEq, Eq)]
struct Bar<'a> {
    name: Cow<'a, str>,
    from: Timestamp,
    to: Timestamp,
    class: &'static str,
}

/// The chart. An attempt's bar is as long as its log and its steps tell; the one that executes goes on to now.
pub fn chart(run: &RunView, steps: &[StepView], log: &[LogEntry], now: Timestamp) -> Markup {
    let bars = bars(run, steps, log, now);
    let (from, to) = (bars.iter().map(|bar| bar.from).min(), bars.iter().map(|bar| bar.to).max());
    let (Some(from), Some(to)) = (from, to) else { return html! {} };
    let left_out = bars.len().saturating_sub(SHOWN);
    html! {
        ol class="chart" {
            @for Bar { name, from: begins, to: ends, class } in bars.iter().skip(left_out) {
                @let span = took(until(*begins, *ends));
                li {
                    span class="clip" { (plain(&shorten(name, 100))) }
                    (chart::bar(Window { from, to }, *begins, *ends, class, &format!("{}: {span}", plain(&shorten(name, 100)))))
                    small { (span) }
                }
            }
        }
        @if left_out > 0 { p class="soft" { (left_out) " earlier ones are left out." } }
    }
}

fn bars<'a>(run: &RunView, steps: &'a [StepView], log: &[LogEntry], now: Timestamp) -> Vec<Bar<'a>> {
    let end = run.ended_at().unwrap_or(now);
    let bar = |name: &'static str, from: Timestamp, to: Timestamp, class| {
        (from < to).then_some(Bar { name: name.into(), from, to, class })
    };
    let due = run.scheduled_at.unwrap_or(run.created_at);
    let begun = run.started_at.unwrap_or(end.max(due));
    let next = run.next_at().filter(|_| run.state == State::Waiting);
    let mut bars: Vec<Bar<'a>> =
        [bar("put off", run.created_at, due, "ahead"), bar("in its queue", due, begun, "queued")]
            .into_iter()
            .chain([next.and_then(|at| bar("waits", now, at, "ahead"))])
            .flatten()
            .collect();
    bars.extend(attempts(run, steps, log, now));
    bars.extend(steps.iter().map(|step| Bar {
        name: Cow::Borrowed(&*step.name),
        from: began(step),
        to: step.at,
        class: "step",
    }));
    bars.sort_by_key(|bar| (bar.from, std::cmp::Reverse(bar.to)));
    bars
}

/// The time at which a step began.
fn began(step: &StepView) -> Timestamp {
    step.at.checked_sub(Duration::from_millis(step.took_ms)).unwrap_or(step.at)
}

/// The attempts that are known, each from the first moment to the last that tells of it.
fn attempts<'a>(run: &RunView, steps: &[StepView], log: &[LogEntry], now: Timestamp) -> Vec<Bar<'a>> {
    let mut known: Vec<((u32, u32), Timestamp, Timestamp)> = vec![];
    let mut tell = |attempt, from: Timestamp, to: Timestamp| match known.iter_mut().find(|it| it.0 == attempt) {
        Some((_, first, last)) => (*first, *last) = ((*first).min(from), (*last).max(to)),
        None => known.push((attempt, from, to)),
    };
    for step in steps {
        tell((step.iteration, step.attempt), began(step), step.at);
    }
    for entry in log {
        tell((entry.iteration, entry.attempt), entry.time, entry.time);
    }
    if let Some(started) = run.started_at {
        tell((1, 1), started, started);
        let last = (run.iteration, run.attempt);
        match run.ended_at() {
            Some(ended) if run.aborted_at.is_none() && run.expired_at.is_none() => tell(last, ended, ended),
            None if run.state == State::Running => tell(last, now, now),
            _ => {}
        }
    }
    let class = |attempt| match (attempt == (run.iteration, run.attempt), run.state) {
        (true, State::Failed) => "failed",
        (true, State::Completed) => "completed",
        _ => "attempt",
    };
    let name = |(iteration, attempt)| format!("iteration {iteration}, attempt {attempt}").into();
    known.into_iter().map(|(attempt, from, to)| Bar { name: name(attempt), from, to, class: class(attempt) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_is_drawn_for_the_time_it_took_and_its_attempt_from_its_beginning_at_the_latest() {
        let at = |text: &str| -> Timestamp { format!("2026-01-01T{text}Z").parse().unwrap() };
        let text = r#"{"id":"01KDVJ29Q0Q0B9FME0N1VT25N3","name":"a","state":"waiting","trigger":"run","tags":[],
            "attempt":1,"iteration":2,"createdAt":"2026-01-01T11:00:00Z","dueAt":"2026-01-01T11:00:00Z",
            "startedAt":"2026-01-01T11:00:00Z"}"#;
        let run = serde_json::from_str(text).unwrap();
        let name = "ask the bank".to_owned();
        let step = StepView { name, iteration: 2, attempt: 1, at: at("11:05:00"), took_ms: 60_000, bytes: 4 };
        let steps = [step];
        let bars = bars(&run, &steps, &[], at("12:00:00"));
        for name in ["ask the bank", "iteration 2, attempt 1"] {
            let bar = bars.iter().find(|bar| bar.name == name).unwrap();
            assert_eq!((bar.from, bar.to), (at("11:04:00"), at("11:05:00")), "{bar:?}");
        }
    }
}
