//! The commands, by what they are about.

mod add;
mod bulk;
mod complete;
mod dashboard;
mod deliveries;
mod dev;
mod doctor;
mod help;
mod interval;
mod logs;
mod manifest;
mod new;
mod preview;
mod publish;
mod queries;
mod queues;
mod run;
mod run_control;
mod schedules;
mod stats;

use std::{collections::BTreeMap, process::ExitCode};

use clap::{Args, Subcommand};
use clap_complete::Shell;
use deliveries::{DeadLetters, Deliveries};

use crate::{
    context::Context,
    failure::{CliError, CliResult},
    output::waiting,
};

/// The end of a command's help.
macro_rules! examples {
    ($($line:literal),+) => {
        concat!("Examples:", $("\n  dacapo ", $line),+)
    };
}
use examples;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the workspace's functions and run them on this machine
    #[command(after_help = examples!("dev --durability full"))]
    Dev(dev::Dev),
    /// Make the workspace of a new app, with a task, an event handler and a schedule
    #[command(after_help = examples!("new shop"))]
    New(new::New),
    /// Make an app of the cargo workspace in this folder: add what is missing
    #[command(after_help = examples!("init --app shop"))]
    Init(new::Init),
    /// Add a function to the workspace, with a test
    #[command(subcommand)]
    Add(add::Add),
    /// Start a run of a task
    #[command(after_help = examples!("run import-airports --body '{\"file\": \"a.csv\"}' --when '10 minutes'", "run import-airports --key monday --tag yearly --ttl '1 hour'"))]
    Run(run::Run),
    /// Publish an event
    #[command(after_help = examples!("publish user.joined --body '{\"email\": \"ada@example.org\"}'"))]
    Publish(publish::Publish),
    /// Show a run
    #[command(after_help = examples!("state 01KDVJ29Q0Q0B9FME0N1VT25N3 --watch"))]
    State(queries::State),
    /// List runs, newest first, or unfinished ones by when they are due
    #[command(after_help = examples!("list --state failed --since '2 hours'", "list --task import-airports --tag yearly"))]
    List(queries::List),
    /// Show what a run logged
    #[command(after_help = examples!("logs 01KDVJ29Q0Q0B9FME0N1VT25N3 --follow"))]
    Logs(logs::Logs),
    /// Wait for the end of a run
    #[command(after_help = examples!("wait 01KDVJ29Q0Q0B9FME0N1VT25N3 --timeout '10 minutes'"))]
    Wait(run::Wait),
    /// Abort a run
    #[command(after_help = examples!("abort 01KDVJ29Q0Q0B9FME0N1VT25N3 --message 'wrong file'"))]
    Abort(run_control::Abort),
    /// Pause a run: nothing of it starts until it is resumed
    #[command(after_help = examples!("pause 01KDVJ29Q0Q0B9FME0N1VT25N3"))]
    Pause(run_control::Pause),
    /// Resume a run that is paused
    #[command(after_help = examples!("resume 01KDVJ29Q0Q0B9FME0N1VT25N3"))]
    Resume(run_control::Resume),
    /// Start a new run with an earlier one's body, or another
    #[command(after_help = examples!("replay 01KDVJ29Q0Q0B9FME0N1VT25N3 --body '{\"file\": \"b.csv\"}'"))]
    Replay(run_control::Replay),
    /// Change when a run that has not started is due
    #[command(after_help = examples!("reschedule 01KDVJ29Q0Q0B9FME0N1VT25N3 '5 minutes'"))]
    Reschedule(run_control::Reschedule),
    /// Complete a token that a run waits for
    #[command(after_help = examples!("complete AZvjQgTOKEN '{\"granted\": true}'"))]
    Complete(complete::Complete),
    /// Show what the app's functions say of themselves
    #[command(after_help = examples!("manifest --json"))]
    Manifest(manifest::Manifest),
    /// Recurring schedules: declared ones, and those made at run time
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    /// Deliveries of events that have failed
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Deliveries that were dropped: shown, redriven, deleted
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Abort, replay or redrive all that options name
    #[command(subcommand)]
    Bulk(bulk::Bulk),
    /// Queues: what they limit, and whether they are paused
    #[command(subcommand)]
    Queues(queues::Queues),
    /// Say whether the app is well, and what to look at first
    #[command(after_help = examples!("stats --json"))]
    Stats(stats::Stats),
    /// Look for what is wrong with tools, account, stack and app, and say what to do
    #[command(after_help = examples!("doctor --stage prod", "doctor --all --json"))]
    Doctor(doctor::Doctor),
    /// Say when a text such as "5 minutes" is
    #[command(after_help = examples!("when '5 minutes'", "when 300000"))]
    When(preview::When),
    /// Say when a schedule such as every "5 minutes" fires
    #[command(after_help = examples!("every '5 minutes' --next 3"))]
    Every(preview::Every),
    /// Say when a schedule such as cron "0 6 ? * MON-FRI *" fires
    #[command(after_help = examples!("cron '0 6 ? * MON-FRI *' --timezone Europe/Berlin"))]
    Cron(preview::Cron),
    /// Serve pages of runs and schedules to this machine's browsers
    #[command(after_help = examples!("dashboard --stage prod"))]
    Dashboard(dashboard::Dashboard),
    /// Describe the command line, one command, or an error code
    #[command(after_help = examples!("help queues pause", "help TIMEOUT", "help --json"))]
    Help(help::Help),
    /// Print a completion script for a shell
    #[command(after_help = examples!("completions bash > ~/.local/share/bash-completion/completions/dacapo"))]
    Completions(Completions),
}

impl Command {
    /// The command that lists what this one finds by its id.
    pub const fn lists(&self) -> Option<&'static str> {
        match self {
            Self::State(_)
            | Self::Logs(_)
            | Self::Wait(_)
            | Self::Abort(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Replay(_)
            | Self::Reschedule(_) => Some("list"),
            Self::Deliveries(Deliveries::Show(_)) => Some("deliveries list"),
            Self::DeadLetters(DeadLetters::Show(_) | DeadLetters::Redrive(_) | DeadLetters::Delete(_)) => {
                Some("dead-letters list")
            }
            _ => None,
        }
    }
}

/// A completion script.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self, cx: &Context<'_>, mut program: clap::Command) -> ExitCode {
        let mut script = vec![];
        clap_complete::generate(self.shell, &mut program, "dacapo", &mut script);
        let script = String::from_utf8_lossy(&script);
        cx.output.give(&BTreeMap::from([("script", &script)]), || script.to_string())
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
        if cx.output.is_watched() {
            tokio::spawn(async {
                tokio::time::sleep(waiting::UNNOTICED).await;
                waiting::show();
            });
        }
        match command {
            Command::Dev(it) => it.run(cx).await,
            Command::New(it) => it.run(cx),
            Command::Init(it) => it.run(cx),
            Command::Add(it) => it.run(cx),
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
            Command::Stats(it) => it.run(cx).await,
            Command::Doctor(it) => it.run(cx).await,
            Command::When(it) => it.run(cx),
            Command::Every(it) => it.run(cx),
            Command::Cron(it) => it.run(cx),
            Command::Help(it) => it.run(cx, program),
            Command::Completions(it) => Ok(it.run(cx, program)),
        }
    })
}
