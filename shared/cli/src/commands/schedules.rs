use std::process::ExitCode;

use clap::Subcommand;

use super::Context;
use crate::failure::{Done, Failure};

/// Recurring schedules.
#[derive(Debug, Subcommand)]
pub enum Schedules {
    /// List them
    List,
}

impl Schedules {
    pub async fn run(self, _: &Context<'_>) -> Done<ExitCode> {
        Err(Failure::failed("schedules have not landed"))
    }
}
