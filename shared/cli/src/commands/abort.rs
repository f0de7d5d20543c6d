use std::process::ExitCode;

use clap::Args;
use dacapo_domain::{Id, State};

use super::{Context, run_id};
use crate::failure::Done;

/// A run that executes is told so; any other is aborted at once.
#[derive(Debug, Args)]
pub struct Abort {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
    /// Why; kept with the run
    #[arg(long, value_name = "TEXT", default_value = "aborted from the command line")]
    message: String,
}

impl Abort {
    pub async fn run(self, cx: &Context<'_>) -> Done<ExitCode> {
        let client = cx.client().await?;
        let run = client.abort(self.id, &self.message).await?;
        Ok(cx.output.give(&run, || match run.state {
            State::Aborted => format!("run {} is aborted", run.id),
            state if state.is_final() => format!("run {} was {state} before", run.id),
            _ => format!("run {} executes and is told to stop", run.id),
        }))
    }
}
