//! The commands, a file each.

mod abort;
mod completions;
mod cron;
mod dashboard;
mod dev;
mod every;
mod list;
mod logs;
mod manifest;
mod publish;
mod replay;
mod reschedule;
mod run;
mod schedules;
mod state;
mod wait;
mod when;

use std::process::ExitCode;

use clap::Subcommand;
use dacapo::Client;
use dacapo_domain::Id;
use jiff::Timestamp;

use crate::{
    arguments::{Arguments, Global},
    connect,
    failure::{Done, Failure},
    output::Output,
};

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the workspace's functions and run them on this machine
    Dev(dev::Dev),
    /// Start a run of a task
    Run(run::Run),
    /// Publish an event
    Publish(publish::Publish),
    /// Show a run
    State(state::State),
    /// List runs, newest first
    List(list::List),
    /// Show what a run logged
    Logs(logs::Logs),
    /// Wait for the end of a run
    Wait(wait::Wait),
    /// Abort a run
    Abort(abort::Abort),
    /// Start a new run with an earlier one's body, or another
    Replay(replay::Replay),
    /// Change when a run that has not started is due
    Reschedule(reschedule::Reschedule),
    /// Show what the app's functions say of themselves
    Manifest(manifest::Manifest),
    /// Recurring schedules: declared ones, and those made at run time
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    /// Say when a text such as "5 minutes" is
    When(when::When),
    /// Say when a schedule such as every "5 minutes" fires
    Every(every::Every),
    /// Say when a schedule such as cron "0 6 ? * MON-FRI *" fires
    Cron(cron::Cron),
    /// Serve pages of runs and schedules to this machine's browsers
    Dashboard(dashboard::Dashboard),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

/// What a command works with.
pub struct Context<'a> {
    /// Options of every command.
    pub global: Global,
    /// Where its words go.
    pub output: &'a Output,
}

impl Context<'_> {
    /// The app's client: on the dev engine with `--local`, else on AWS.
    pub async fn client(&self) -> Done<Client> {
        connect::client(&self.global).await
    }
}

/// Runs a command.
///
/// # Errors
/// What the command fails of.
pub fn run(arguments: Arguments, output: &Output) -> Done<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::failed(format!("failed to start the asynchronous runtime: {error}")))?;
    let Arguments { global, command } = arguments;
    let cx = Context { global, output };
    runtime.block_on(async {
        match command {
            Command::Dev(it) => it.run(&cx).await,
            Command::Run(it) => it.run(&cx).await,
            Command::Publish(it) => it.run(&cx).await,
            Command::State(it) => it.run(&cx).await,
            Command::List(it) => it.run(&cx).await,
            Command::Logs(it) => it.run(&cx).await,
            Command::Wait(it) => it.run(&cx).await,
            Command::Abort(it) => it.run(&cx).await,
            Command::Replay(it) => it.run(&cx).await,
            Command::Reschedule(it) => it.run(&cx).await,
            Command::Manifest(it) => it.run(&cx).await,
            Command::Schedules(it) => it.run(&cx).await,
            Command::Dashboard(it) => it.run(&cx).await,
            Command::When(it) => it.run(&cx),
            Command::Every(it) => it.run(&cx),
            Command::Cron(it) => it.run(&cx),
            Command::Completions(it) => it.run(&cx),
        }
    })
}

/// A run's id as an argument.
fn run_id(text: &str) -> Result<Id, String> {
    text.parse().map_err(|error: dacapo_domain::IdError| error.to_string())
}

/// A `--from`.
fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "allowed are RFC 3339 timestamps, such as 2027-01-31T08:00:00Z".to_owned())
}
