//! Runs, for people.

use std::time::Duration;

use console::{Style, style};
use dacapo::StepView;
use dacapo_dashboard::show::{ago, pretty, took, waits_for};
use dacapo_domain::{RunView, State, until};
use jiff::Timestamp;

use super::{Table, explained, line, plain};

/// A state in its colour.
pub fn state(state: State) -> String {
    let colour = match state {
        State::Completed => Style::new().green(),
        State::Failed => Style::new().red(),
        State::Running => Style::new().blue(),
        State::Created | State::Scheduled | State::Submitted | State::Waiting | State::Paused => Style::new().yellow(),
        State::Aborted | State::Expired => Style::new().dim(),
    };
    colour.apply_to(state.name()).to_string()
}

/// A list of runs.
pub fn runs(runs: &[RunView], now: Timestamp) -> String {
    if runs.is_empty() {
        return "no runs".to_owned();
    }
    let mut table = Table::new(&["ID", "TASK", "STATE", "CREATED", "TOOK", "MESSAGE"]);
    for run in runs {
        let took = duration(run, now).unwrap_or_else(|| "-".to_owned());
        table.row([
            run.id.to_string(),
            line(&run.name, 32),
            state(run.state),
            ago(run.created_at, now),
            took,
            line(&says(run, now), 60),
        ]);
    }
    table.text()
}

fn duration(run: &RunView, now: Timestamp) -> Option<String> {
    run.started_at.map(|from| took(until(from, run.ended_at().unwrap_or(now))))
}

/// The one thing worth saying: its error, when it is due, what it said last.
fn says(run: &RunView, now: Timestamp) -> String {
    let error = run.error_message.as_ref().filter(|_| run.completed_at.is_none());
    match (error, run.state) {
        (Some(error), _) => format!("{} {error}", run.error_code.as_deref().unwrap_or_default()),
        (None, State::Scheduled) => format!("due {}", ago(run.due_at, now)),
        (None, State::Waiting) => awaited(run, now)
            .map(|awaited| format!("waits for {awaited}"))
            .or_else(|| progress(run))
            .unwrap_or_default(),
        (None, _) => run.message.clone().or_else(|| progress(run)).unwrap_or_default(),
    }
}

fn awaited(run: &RunView, now: Timestamp) -> Option<String> {
    run.waits_for.as_ref().and_then(|awaited| waits_for(awaited, now))
}

fn progress(run: &RunView) -> Option<String> {
    let message = run.progress_message.as_deref().unwrap_or_default();
    run.percent().map(|percent| format!("{percent}% {message}"))
}

/// The end of a run, in words.
pub fn outcome(run: &RunView, now: Timestamp) -> String {
    let mut text = state(run.state);
    if let Some(took) = duration(run, now) {
        text += &format!(" in {took}");
    }
    let error = run.error_message.as_ref().filter(|_| run.completed_at.is_none());
    if let Some(error) = error {
        let code = plain(run.error_code.as_deref().unwrap_or("ERROR"));
        text += &format!(": {} {}", style(code).bold(), plain(error));
    } else if let Some(message) = &run.message {
        text += &format!(": {}", plain(message));
    }
    if let Some(result) = run.result.as_ref().filter(|result| result.text() != "null") {
        text += &format!("\n{}", plain(&pretty(result)));
    }
    if let Some(why) = &run.result_left_out {
        text += &format!("\nthe result was left out: {}", plain(why));
    }
    text
}

/// All of a run, and its steps.
pub fn whole(run: &RunView, steps: &[StepView], now: Timestamp) -> String {
    let mut lines = vec![format!("{}  {}  {}", style(line(&run.name, 64)).bold(), state(run.state), run.id)];
    let mut fact = |name: &str, value: String| lines.push(format!("{}  {value}", style(format!("{name:>9}")).dim()));
    outcome_of(run, &mut fact);
    for (name, at) in moments(run) {
        fact(name, format!("{at}  {}", style(ago(at, now)).dim()));
    }
    if let Some(awaited) = awaited(run, now) {
        fact("waits for", line(&awaited, 400));
    }
    if let Some(took) = duration(run, now) {
        fact("took", took);
    }
    fact("try", format!("iteration {}, attempt {}", run.iteration, run.attempt));
    if let Some(parent) = run.parent_id {
        fact("parent", parent.to_string());
    }
    if !run.tags.is_empty() {
        fact("tags", line(&run.tags.join(", "), 200));
    }
    let values = [("output", &run.output), ("metadata", &run.metadata), ("input", &run.input), ("body", &run.body)];
    for (name, json) in values {
        let is_said = name == "input" && run.input == run.body;
        if let Some(json) = json.as_ref().filter(|_| !is_said) {
            fact(name, indented(&pretty(json)));
        }
    }
    for step in steps {
        let StepView { name, iteration, attempt, at, took_ms, bytes } = step;
        let made = format!(
            "iteration {iteration}, attempt {attempt}, took {}, {bytes} bytes",
            took(Duration::from_millis(*took_ms))
        );
        fact("step", format!("{}  {}", line(name, 64), style(format!("{made}  {}", ago(*at, now))).dim()));
    }
    lines.join("\n")
}

/// The facts that are asked for first: what came of a run, or how far it is.
fn outcome_of(run: &RunView, fact: &mut impl FnMut(&str, String)) {
    if let Some(progress) = progress(run) {
        fact("progress", plain(&progress));
    }
    if let Some(message) = &run.message {
        fact("message", plain(message));
    }
    if let Some(error) = &run.error_message {
        let code = plain(run.error_code.as_deref().unwrap_or("ERROR"));
        fact("error", format!("{} {}", style(code).red().bold(), plain(error)));
        if let Some(help) = explained(run.error_code.as_deref()) {
            fact("help", help);
        }
    }
    if let Some(result) = &run.result {
        fact("result", indented(&pretty(result)));
    }
    if let Some(why) = &run.result_left_out {
        fact("result", format!("left out: {}", plain(why)));
    }
    if let Some(stack) = &run.error_stack {
        fact("causes", indented(stack));
    }
}

fn moments(run: &RunView) -> impl Iterator<Item = (&'static str, Timestamp)> {
    let moments = [
        ("created", Some(run.created_at)),
        ("due", run.scheduled_at),
        ("started", run.started_at),
        ("next", run.next_at().filter(|_| run.state == State::Waiting)),
        ("paused", run.paused_at),
        ("completed", run.completed_at),
        ("failed", run.failed_at),
        ("aborted", run.aborted_at),
        ("expired", run.expired_at),
    ];
    moments.into_iter().filter_map(|(name, at)| Some((name, at?)))
}

/// A text of several lines beside its name.
fn indented(text: &str) -> String {
    plain(text).replace('\n', "\n           ")
}
