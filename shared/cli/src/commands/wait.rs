use std::{process::ExitCode, time::Duration};

use clap::Args;
use dacapo::{Client, ErrorKind};
use dacapo_domain::{Id, RunView, State};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    context::Context,
    failure::{CliResult, exit},
    output::{self, line},
    values::run_id,
};

/// Exits with 0 if the run completed, else with 1.
#[derive(Debug, Args)]
pub struct Wait {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
}

impl Wait {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        until_its_end(cx, &client, self.id).await
    }
}

/// Waits for a run's end, shows how far it is, and prints how it ended.
pub async fn until_its_end(cx: &Context<'_>, client: &Client, id: Id) -> CliResult<ExitCode> {
    let run = follow(cx, client, id).await?;
    let now = client.ports().clock.now();
    if run.state == State::Completed {
        return Ok(cx.output.give(&run, || output::outcome(&run, now)));
    }
    match cx.output.is_json() {
        true => cx.output.give(&run, String::new),
        false => {
            cx.output.note(&output::outcome(&run, now));
            ExitCode::SUCCESS
        }
    };
    Ok(ExitCode::from(exit::FAILED))
}

/// The failures in a row that a wait bears: about a minute of them.
const BORNE: u32 = 30;

async fn follow(cx: &Context<'_>, client: &Client, id: Id) -> CliResult<RunView> {
    let mut shown = Shown::new(cx);
    let mut pause = Duration::from_millis(100);
    let mut failures = 0;
    loop {
        match client.state(id).await {
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
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_secs(2));
    }
}

/// The progress of a run: a bar on a terminal, else a line at each change.
struct Shown<'a> {
    bar: Option<ProgressBar>,
    cx: &'a Context<'a>,
    last: String,
}

impl<'a> Shown<'a> {
    fn new(cx: &'a Context<'a>) -> Self {
        let bar = cx.output.is_watched().then(|| {
            let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
            let style =
                ProgressStyle::with_template("{spinner} {prefix:9} [{bar:30}] {percent:>3}% {elapsed} {wide_msg}");
            bar.set_style(style.expect("the template is right").progress_chars("=> "));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, cx, last: String::new() }
    }

    fn show(&mut self, run: &RunView) {
        let message = line(run.progress_message.as_deref().unwrap_or_default(), 60);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a percentage")]
        let percent = run.progress_percent.unwrap_or_default() as u64;
        if let Some(bar) = &self.bar {
            bar.set_prefix(run.state.name());
            bar.set_position(percent);
            bar.set_message(message);
            return;
        }
        let said = format!("{} {percent}% {message}", run.state);
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
