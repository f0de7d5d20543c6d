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
}

impl Add {
    pub fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let (kind, name) = match self {
            Self::Task(it) => (Kind::Task, Name::of_task(&it.name)?),
            Self::Event(it) => (Kind::Event, Name::of_event(&it.name)?),
            Self::Schedule(it) => (Kind::Schedule, Name::of_task(&it.name)?),
        };
        let root = workspace::here()?;
        let mut plan = Plan::new(root.clone());
        add_function(&mut plan, kind, &name)?;
        let written = plan.write()?;
        if root.join("infra/template.json").is_file() {
            cx.output.note("make template, which builds the functions");
            let made = Command::new("make").arg("template").current_dir(&root).stdout(Stdio::null()).status();
            if !made.is_ok_and(|status| status.success()) {
                let text = "the function is added, but infra/template.json is still without it";
                return Err(CliError::failed(format!("{text} (make template says why)")));
            }
        }
        Ok(cx.output.give(&written, || written.text(&format!("cargo test --no-default-features -p {}", name.slug))))
    }
}
