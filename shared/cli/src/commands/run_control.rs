//! A run, controlled: abort, pause, resume, replay, reschedule.

use std::process::ExitCode;

use clap::Args;
use dacapo_dashboard::show::ago;
use dacapo_domain::{Id, When};
use serde_json::json;

use crate::{
    context::Context,
    failure::CliResult,
    times::when,
    values::{self, run_id},
};

/// A run that executes is told so; any other is aborted at once.
#[derive(Debug, Args)]
pub struct Abort {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
    /// The reason; kept with the run
    #[arg(long, value_name = "TEXT", default_value = "aborted from the command line")]
    message: String,
}

impl Abort {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let run = client.abort(self.id, &self.message).await?;
        Ok(cx.output.give(&run, || match run.state {
            dacapo_domain::State::Aborted => format!("run {} is aborted", run.id),
            state if state.is_final() => format!("run {} was {state} before", run.id),
            _ => format!("run {} executes and is told to stop", run.id),
        }))
    }
}

/// An attempt that executes ends; waits and tokens go on.
#[derive(Debug, Args)]
pub struct Pause {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
}

impl Pause {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let run = cx.client().await?.pause(self.id).await?;
        Ok(cx.output.give(&run, || match run.state {
            dacapo_domain::State::Paused => format!("run {} is paused", run.id),
            _ => format!("run {} executes and is paused when its attempt ends", run.id),
        }))
    }
}

/// It goes on where it stood; one whose attempts were used up with attempt 1.
#[derive(Debug, Args)]
pub struct Resume {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
}

impl Resume {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let run = cx.client().await?.resume(self.id).await?;
        Ok(cx.output.give(&run, || format!("run {} is {}", run.id, run.state)))
    }
}

/// A new run, linked to the earlier one.
#[derive(Debug, Args)]
pub struct Replay {
    /// The earlier run's id
    #[arg(value_parser = run_id)]
    id: Id,
    /// Another body: JSON, @FILE, or - for standard input [default: the earlier run's]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    body: Option<String>,
}

impl Replay {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let body = self.body.as_deref().map(|given| values::body(Some(given))).transpose()?;
        let client = cx.client().await?;
        let started = client.replay(self.id, body).await?;
        let id = started.id();
        let document = json!({"id": id, "deduplicated": started.is_deduplicated()});
        Ok(cx.give_of_place(&client, &document, || format!("run {id} started")).await)
    }
}

/// Puts off a run that has not started, or brings it forward.
#[derive(Debug, Args)]
pub struct Reschedule {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
    /// The due time, such as "5 minutes", 2027-01-31T08:00:00Z, or milliseconds
    #[arg(value_name = "TIME", value_parser = when, allow_hyphen_values = true)]
    when: When,
}

impl Reschedule {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let run = client.reschedule(self.id, self.when).await?;
        let now = client.ports().clock.now();
        Ok(cx.output.give(&run, || format!("run {} is due {}, at {}", run.id, ago(run.due_at, now), run.due_at)))
    }
}
