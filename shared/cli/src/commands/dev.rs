use std::process::ExitCode;

use clap::Args;

use super::Context;
use crate::failure::{Done, Failure};

/// Builds the workspace's functions, starts the engine and the dashboard, and fires schedules, until interrupted.
#[derive(Debug, Args)]
pub struct Dev {
    /// The engine's port; 0 takes a free one
    #[arg(long, default_value_t = 8787)]
    port: u16,
}

impl Dev {
    pub async fn run(self, _: &Context<'_>) -> Done<ExitCode> {
        Err(Failure::failed(format!("the engine has not landed (port {})", self.port)))
    }
}
