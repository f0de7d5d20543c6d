use std::{collections::BTreeMap, process::ExitCode};

use clap::{Args, Subcommand};
use console::style;
use dacapo::QueueState;

use super::examples;
use crate::{
    context::Context,
    failure::CliResult,
    output::{Table, line, plain},
};

/// The commands for queues.
#[derive(Debug, Subcommand)]
pub enum Queues {
    /// List all queues: those that tasks name, and each other task's own, of its name
    #[command(after_help = examples!("queues list"))]
    List,
    /// Pause a queue: what executes ends, what is due waits, and a deploy doesn't resume it
    #[command(after_help = examples!("queues pause import-airports"))]
    Pause(QueueName),
    /// Resume a paused queue: what waits comes in the order in which it was due
    #[command(after_help = examples!("queues resume import-airports"))]
    Resume(QueueName),
}

/// A queue.
#[derive(Debug, Args)]
pub struct QueueName {
    /// The queue's name, or that of a task without one
    name: String,
}

impl Queues {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let queues = client.queues();
        let state = match self {
            Self::List => {
                let all = queues.list().await?;
                return Ok(cx.give_of_place(&client, &BTreeMap::from([("queues", &all)]), || table(&all)).await);
            }
            Self::Pause(it) => queues.pause(&it.name).await?,
            Self::Resume(it) => queues.resume(&it.name).await?,
        };
        let text = || match state.paused_at {
            Some(_) => format!("queue {} is paused: what is due waits", plain(&state.name)),
            None => format!("queue {} is not paused", plain(&state.name)),
        };
        Ok(cx.give_of_place(&client, &state, text).await)
    }
}

fn table(queues: &[QueueState]) -> String {
    if queues.is_empty() {
        return "no queues".to_owned();
    }
    let mut table = Table::new(&["NAME", "TASKS", "LIMITS", "EXECUTING", "LINE"]);
    for it in queues {
        table.row([
            line(&it.name, 48),
            line(&it.tasks.join(", "), 60),
            it.limits.to_string(),
            it.executing.map_or_else(String::new, |executing| executing.to_string()),
            match (it.paused_at, it.has_waiting) {
                (Some(_), _) => style("paused").yellow().to_string(),
                (None, true) => "runs wait".to_owned(),
                (None, false) => String::new(),
            },
        ]);
    }
    table.text()
}
