//! The commands that add a function to a workspace.

use std::process::{Command, ExitCode, Stdio};

use clap::{Args, Subcommand};

use super::examples;
use crate::{
    context::Context,
    failure::{CliError, CliResult},
    scaffold::{Kind, Name, Plan, add_function},
    workspace,
};

/// The function that is added: a crate in `functions/`, its names in `shared/app`, and a test in virtual time.
#[derive(Debug, Subcommand)]
pub enum Add {
    /// Add a task
    #[command(after_help = examples!("add task resize-image"))]
    Task(Named),
    /// Add a handler of an event
    #[command(after_help = examples!("add event order.placed"))]
    Event(Named),
    /// Add a task that a schedule starts, each morning
    #[command(after_help = examples!("add schedule weekly-report"))]
    Schedule(Named),
}

/// The function that is added, by name.
#[derive(Debug, Args)]
pub struct Named {
    /// The task's or the event's name; the crate is called after it
    name: String,
    /// Say which files it would write, and write none
    #[arg(long)]
    dry_run: bool,
}

impl Add {
    pub fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let (kind, Named { name, dry_run }) = match self {
            Self::Task(it) => (Kind::Task, it),
            Self::Event(it) => (Kind::Event, it),
            Self::Schedule(it) => (Kind::Schedule, it),
        };
        let name = if matches!(kind, Kind::Event) { Name::of_event(&name)? } else { Name::of_task(&name)? };
        let root = workspace::here()?;
        let mut plan = Plan::new(root.clone());
        add_function(&mut plan, kind, &name)?;
        let next = format!("cargo test --no-default-features -p {}", name.slug);
        if dry_run {
            let would = plan.would();
            return Ok(cx.output.give(&would, || would.text(&next)));
        }
        let written = plan.write()?;
        if root.join("infra/template.json").is_file() {
            cx.output.note("make template, which builds the functions");
            let made = Command::new("make").arg("template").current_dir(&root).stdout(Stdio::null()).status();
            if !made.is_ok_and(|status| status.success()) {
                let text = "the function is added, but infra/template.json is still without it";
                return Err(CliError::failed(format!("{text} (make template says why)")));
            }
        }
        Ok(cx.output.give(&written, || written.text(&next)))
    }
}
