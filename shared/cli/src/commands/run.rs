//! A run's start, and the wait for its end.

use std::{process::ExitCode, time::Duration};

use clap::Args;
use dacapo::{Client, ErrorKind, StartRun};
use dacapo_dashboard::show::{ago, took};
use dacapo_domain::{Id, RunView, State, TraceParent, When};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::{
    context::{Context, OfPlace},
    failure::{CliError, CliResult, exit},
    output::{self, line, waiting},
    times::{span, when},
    values::{self, run_id},
};

/// The failures in a row that a wait bears: about a minute of them.
const BORNE: u32 = 30;

/// Prints the run's id as soon as the run can no longer be lost; with --wait, how it ended.
#[derive(Debug, Args)]
pub struct Run {
    /// The task's name
    task: String,
    /// The run's body: JSON, @FILE, or - for standard input [default: {}]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    body: Option<String>,
    /// The due time, such as "5 minutes", 2027-01-31T08:00:00Z, or milliseconds [default: now]
    #[arg(long, visible_aliases = ["at", "after"], value_name = "TIME", value_parser = when, allow_hyphen_values = true)]
    when: Option<When>,
    /// Idempotency key: a second call with it gives the first run's id
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// The time for which the key is kept, such as "1 day" [default: 30 days]
    #[arg(long, value_name = "DURATION", value_parser = span, requires = "key")]
    key_for: Option<Duration>,
    /// The time after which it expires if it has not started, such as "1 hour" [default: as its task says]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    ttl: Option<Duration>,
    /// The head start among the runs that wait for a place of the task, such as "5 minutes" [default: none]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    priority: Option<Duration>,
    #[command(flatten)]
    calls: Debounce,
    /// A tag that the run can be found by; may be given up to 10 times
    #[arg(long = "tag", value_name = "TEXT")]
    tags: Vec<String>,
    /// The trace that it belongs to, as the W3C's traceparent [default: one of its own]
    #[arg(long, value_name = "TEXT")]
    traceparent: Option<TraceParent>,
    /// Wait for the run's end
    #[arg(long)]
    wait: bool,
}

/// The options that make one run of many calls.
#[derive(Debug, Args)]
struct Debounce {
    /// Makes one run of all calls with this key, once there was none for the delay
    #[arg(long, value_name = "KEY", requires = "delay", conflicts_with_all = ["key", "when"])]
    debounce: Option<String>,
    /// The delay of a debounce, such as "30 seconds"
    #[arg(long, value_name = "DURATION", requires = "debounce", value_parser = span)]
    delay: Option<Duration>,
    /// The time after the first call at which a debounced run starts at the latest
    #[arg(long, value_name = "DURATION", requires = "debounce", value_parser = span)]
    max_delay: Option<Duration>,
    /// Starts a debounced run at its first call, and absorbs the others
    #[arg(long, requires = "debounce")]
    leading: bool,
}

/// Exits with 0 if the run completed, else with 1.
#[derive(Debug, Args)]
pub struct Wait {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
    /// The time after which it waits no longer, such as "10 minutes", and exits with 1 [default: none]
    #[arg(long, value_name = "DURATION", value_parser = span)]
    timeout: Option<Duration>,
}

/// The progress of a run: a bar on a terminal, else a line at each change.
struct Shown<'a> {
    bar: Option<ProgressBar>,
    cx: &'a Context<'a>,
    last: String,
}

impl Run {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let body = values::body(self.body.as_deref())?;
        let client = cx.client().await?;
        let is_debounced = self.calls.debounce.is_some();
        let due = self.when.clone().or(self.calls.due());
        let due = due.and_then(|when| when.resolve(client.ports().clock.now()).ok());
        let started = self.options_of(client.run_by_name(&self.task, body)).await?;
        let id = started.id();
        if self.wait {
            return until_its_end(cx, &client, id).await;
        }
        let document = json!({"id": id, "deduplicated": started.is_deduplicated()});
        let text = || match (started.is_deduplicated(), due) {
            (true, _) if is_debounced => format!("run {id} stands for this call: an earlier one made it"),
            (true, _) => format!("run {id} was there before: it has the same key"),
            (false, Some(due)) => format!("run {id} is due {}", ago(due, client.ports().clock.now())),
            (false, None) => format!("run {id} started"),
        };
        Ok(cx.give_of_place(&client, &document, text).await)
    }

    /// The run with what was typed.
    fn options_of<O>(&self, run: StartRun<O>) -> StartRun<O> {
        let run = run.tags(self.tags.clone());
        let run = self.when.iter().fold(run, |run, when| run.at(when.clone()));
        let run = self.key.iter().fold(run, |run, key| run.key(key));
        let run = self.key_for.iter().fold(run, |run, time| run.key_for(*time));
        let run = self.ttl.iter().fold(run, |run, ttl| run.ttl(*ttl));
        let run = self.priority.iter().fold(run, |run, priority| run.priority(*priority));
        let run = self.traceparent.iter().fold(run, |run, traceparent| run.traceparent(&traceparent.to_string()));
        self.calls.of(run)
    }
}

impl Debounce {
    /// The time at which the run is due, where this is the first call and the run waits for others.
    fn due(&self) -> Option<When> {
        self.delay.filter(|_| !self.leading).map(When::from)
    }

    fn of<O>(&self, run: StartRun<O>) -> StartRun<O> {
        let run = self.debounce.iter().zip(self.delay).fold(run, |run, (key, delay)| run.debounce(key, delay));
        let run = self.max_delay.iter().fold(run, |run, max_delay| run.max_delay(*max_delay));
        if self.leading { run.leading() } else { run }
    }
}

impl Wait {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let waited = until_its_end(cx, &client, self.id);
        let Some(timeout) = self.timeout else { return waited.await };
        tokio::time::timeout(timeout, waited).await.unwrap_or_else(|_| {
            let (id, time, place) = (self.id, took(timeout), &cx.global.typed_place);
            let text = format!(
                "run {id} has not ended within {time} (it goes on: `dacapo state {id}{place}` shows how far it is)"
            );
            Err(CliError::failed(text))
        })
    }
}

impl<'a> Shown<'a> {
    fn new(cx: &'a Context<'a>) -> Self {
        waiting::is_over();
        let bar = cx.output.is_watched().then(|| {
            let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
            let style =
                ProgressStyle::with_template("{spinner} {prefix:9} [{bar:30}] {percent:>3}% {elapsed} {wide_msg}");
            if let Ok(style) = style {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, cx, last: String::new() }
    }

    fn show(&mut self, run: &RunView) {
        let message = match run.state {
            State::Scheduled => format!("due {}", ago(run.due_at, output::now())),
            _ => line(run.progress_message.as_deref().unwrap_or_default(), 60),
        };
        if let Some(bar) = &self.bar {
            bar.set_prefix(run.state.name());
            bar.set_position(run.percent().unwrap_or_default().into());
            bar.set_message(message);
            return;
        }
        let percent = run.percent().map(|percent| format!("{percent}% ")).unwrap_or_default();
        let said = format!("{} {percent}{message}", run.state);
        if said != self.last && !run.state.is_final() {
            self.cx.output.note(said.trim_end());
            self.last = said;
        }
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Waits for a run's end, shows how far it is, and prints how it ended.
pub(super) async fn until_its_end(cx: &Context<'_>, client: &Client, id: Id) -> CliResult<ExitCode> {
    let place = cx.answered_by(client).await;
    cx.output.note(&format!("run {id} of {place}"));
    let run = follow(cx, client, id).await?;
    let (now, document) = (client.ports().clock.now(), OfPlace { place: &place, document: &run });
    if run.state == State::Completed {
        return Ok(cx.output.give(&document, || output::outcome(&run, now)));
    }
    match cx.output.is_json() {
        true => cx.output.give(&document, String::new),
        false => {
            let logs = format!("dacapo logs {id}{}", cx.global.typed_place);
            let next: Vec<String> = output::explained(run.error_code.as_deref()).into_iter().chain([logs]).collect();
            cx.output.note(&format!("{}\nnext: {}", output::outcome(&run, now), next.join(", or ")));
            ExitCode::SUCCESS
        }
    };
    Ok(ExitCode::from(exit::FAILED))
}

async fn follow(cx: &Context<'_>, client: &Client, id: Id) -> CliResult<RunView> {
    let (mut shown, mut watch, mut failures) = (Shown::new(cx), client.watch(id), 0);
    loop {
        match watch.next().await {
            Ok(run) => {
                failures = 0;
                shown.show(&run);
                if run.state.is_final() {
                    return Ok(run);
                }
            }
            Err(error) if error.kind() == ErrorKind::Transient && failures < BORNE => failures += 1,
            Err(error) => return Err(error.into()),
        }
    }
}
