use std::process::ExitCode;

use clap::Args;
use dacapo_domain::Id;

use super::{Context, run_id};
use crate::{failure::Done, output};

/// The run's record with body, input, result and error.
#[derive(Debug, Args)]
pub struct State {
    /// The run's id
    #[arg(value_parser = run_id)]
    id: Id,
}

impl State {
    pub async fn run(self, cx: &Context<'_>) -> Done<ExitCode> {
        let client = cx.client().await?;
        let run = client.state(self.id).await?;
        Ok(cx.output.give(&run, || output::whole(&run, client.ports().clock.now())))
    }
}
