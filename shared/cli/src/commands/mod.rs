//! The commands, by what they are about.

mod bulk;
mod complete;
mod dashboard;
mod deliveries;
mod dev;
mod manifest;
mod preview;
mod publish;
mod queries;
mod queues;
mod run;
mod run_control;
mod schedules;

use std::{io::Write, process::ExitCode};

use clap::{Args, Subcommand};
use clap_complete::Shell;

use crate::{
    context::Context,
    failure::{CliError, CliResult},
};

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the workspace's functions and run them on this machine
    Dev(dev::Dev),
    /// Start a run of a task
    Run(run::Run),
    /// Publish an event
    Publish(publish::Publish),
    /// Show a run
    State(queries::State),
    /// List runs, newest first, or unfinished ones by when they are due
    List(queries::List),
    /// Show what a run logged
    Logs(queries::Logs),
    /// Wait for the end of a run
    Wait(run::Wait),
    /// Abort a run
    Abort(run_control::Abort),
    /// Pause a run: nothing of it starts until it is resumed
    Pause(run_control::Pause),
    /// Resume a run that is paused
    Resume(run_control::Resume),
    /// Start a new run with an earlier one's body, or another
    Replay(run_control::Replay),
    /// Change when a run that has not started is due
    Reschedule(run_control::Reschedule),
    /// Complete a token that a run waits for
    Complete(complete::Complete),
    /// Show what the app's functions say of themselves
    Manifest(manifest::Manifest),
    /// Recurring schedules: declared ones, and those made at run time
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    /// Deliveries of events that have failed
    #[command(subcommand)]
    Deliveries(deliveries::Deliveries),
    /// Deliveries that were dropped: shown, redriven, deleted
    #[command(subcommand)]
    DeadLetters(deliveries::DeadLetters),
    /// Abort, replay or redrive all that options name
    #[command(subcommand)]
    Bulk(bulk::Bulk),
    /// Queues: what they limit, and whether they are paused
    #[command(subcommand)]
    Queues(queues::Queues),
    /// Say when a text such as "5 minutes" is
    When(preview::When),
    /// Say when a schedule such as every "5 minutes" fires
    Every(preview::Every),
    /// Say when a schedule such as cron "0 6 ? * MON-FRI *" fires
    Cron(preview::Cron),
    /// Serve pages of runs and schedules to this machine's browsers
    Dashboard(dashboard::Dashboard),
    /// Print a completion script for a shell
    Completions(Completions),
}

/// Example: dacapo completions bash > ~/.local/share/bash-completion/completions/dacapo
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self, mut program: clap::Command) -> ExitCode {
        let mut script = vec![];
        clap_complete::generate(self.shell, &mut program, "dacapo", &mut script);
        // A reader that has gone away, as `head` does, is no error.
        let _ = std::io::stdout().write_all(&script);
        ExitCode::SUCCESS
    }
}

/// Runs a command of the program whose arguments it was read from.
///
/// # Errors
/// The error of the command.
pub fn run(command: Command, cx: &Context<'_>, program: clap::Command) -> CliResult<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| CliError::failed(format!("failed to start the asynchronous runtime: {error}")))?;
    runtime.block_on(async {
        match command {
            Command::Dev(it) => it.run(cx).await,
            Command::Run(it) => it.run(cx).await,
            Command::Publish(it) => it.run(cx).await,
            Command::State(it) => it.run(cx).await,
            Command::List(it) => it.run(cx).await,
            Command::Logs(it) => it.run(cx).await,
            Command::Wait(it) => it.run(cx).await,
            Command::Abort(it) => it.run(cx).await,
            Command::Pause(it) => it.run(cx).await,
            Command::Resume(it) => it.run(cx).await,
            Command::Replay(it) => it.run(cx).await,
            Command::Reschedule(it) => it.run(cx).await,
            Command::Complete(it) => it.run(cx).await,
            Command::Manifest(it) => it.run(cx).await,
            Command::Schedules(it) => it.run(cx).await,
            Command::Deliveries(it) => it.run(cx).await,
            Command::Bulk(it) => it.run(cx).await,
            Command::DeadLetters(it) => it.run(cx).await,
            Command::Queues(it) => it.run(cx).await,
            Command::Dashboard(it) => it.run(cx).await,
            Command::When(it) => it.run(cx),
            Command::Every(it) => it.run(cx),
            Command::Cron(it) => it.run(cx),
            Command::Completions(it) => Ok(it.run(program)),
        }
    })
}
