use std::process::ExitCode;

use clap::Args;
use dacapo_dashboard::show::ago;
use dacapo_domain::Id;

use super::{Context, run_id};
use crate::failure::Done;

/// Only a run that has not started can be put off or brought forward.
#[derive(Debug, Args)]
pub struct Reschedule {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
    /// When it is due, such as "5 minutes" or "2027-01-31T08:00:00Z"
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    when: String,
}

impl Reschedule {
    pub async fn run(self, cx: &Context<'_>) -> Done<ExitCode> {
        let client = cx.client().await?;
        let run = client.reschedule(self.id, self.when).await?;
        let now = client.ports().clock.now();
        Ok(cx.output.give(&run, || format!("run {} is due {}, at {}", run.id, ago(run.due_at, now), run.due_at)))
    }
}
