use std::process::ExitCode;

use clap::Args;
use dacapo_dashboard::show::took;
use dacapo_domain::{Holds, Retry, TaskEntry};

use crate::{
    context::Context,
    failure::CliResult,
    output::{Table, line},
};

/// Tasks, events and schedules with the functions that hold them.
#[derive(Debug, Args)]
pub struct Manifest {}

impl Manifest {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let manifest = client.manifest().await?;
        Ok(cx.output.give(&*manifest, || text(&manifest)))
    }
}

/// The app's functions as a table, a line for each task, event and schedule.
pub fn text(manifest: &dacapo_domain::Manifest) -> String {
    let mut table = Table::new(&["HOLDS", "NAME", "CRATE", "TIMEOUT", "MEMORY", "OPTIONS"]);
    for function in &manifest.functions {
        let (crate_name, memory) = (function.crate_name.clone(), format!("{} MB", function.memory_mb));
        match &function.holds {
            Holds::Task(task) => {
                let timeout = took(task.policy.timeout);
                table.row(["task".into(), line(&task.name, 64), crate_name, timeout, memory, says(task)]);
                for schedule in &task.schedules {
                    let when = line(&schedule.schedule.to_string(), 80);
                    table.row([
                        "schedule".into(),
                        line(&schedule.name, 64),
                        String::new(),
                        String::new(),
                        String::new(),
                        when,
                    ]);
                }
            }
            Holds::Events(handlers) => {
                for handler in handlers {
                    let timeout = took(handler.timeout);
                    let kept = if handler.dead_letter { ", dead letters" } else { "" };
                    let says = format!("{}, {}{kept}", line(&handler.handler, 64), attempts(&handler.retry));
                    let name = line(&handler.event, 64);
                    table.row(["event".into(), name, crate_name.clone(), timeout, memory.clone(), says]);
                }
            }
            Holds::Conductor => {
                table.row(["conductor".into(), String::new(), crate_name, String::new(), memory, String::new()]);
            }
        }
    }
    format!("app {}\n{}", manifest.app, table.text())
}

/// The rest that is said of a task: that it is private, its limits, its queue.
fn says(task: &TaskEntry) -> String {
    let limits = &task.policy.limits;
    let private = task.private.then(|| "private".to_owned());
    let limited = (!limits.is_none()).then(|| limits.to_string());
    let queue = limits.queue.as_ref().map(|queue| format!("queue {queue}"));
    private.into_iter().chain(limited).chain(queue).collect::<Vec<_>>().join(", ")
}

fn attempts(retry: &Retry) -> String {
    match (retry.max_attempts(), retry.max_age()) {
        (1, _) => "1 attempt".to_owned(),
        (u32::MAX, Some(age)) => format!("tried for {}", took(age)),
        (most, _) => format!("{most} attempts"),
    }
}
