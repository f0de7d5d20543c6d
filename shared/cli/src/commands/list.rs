use std::process::ExitCode;

use clap::Args;
use dacapo::ListFilter;
use dacapo_domain::State;
use serde_json::json;

use crate::{context::Context, failure::CliResult, output};

/// A page of runs, newest first.
#[derive(Debug, Args)]
pub struct List {
    /// The task whose runs are listed
    #[arg(long, value_name = "NAME")]
    task: Option<String>,
    /// The state of the runs: scheduled, submitted, running, waiting, completed, failed, aborted or expired
    #[arg(long)]
    state: Option<State>,
    /// The number of runs, at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// The cursor that the page before ended with
    #[arg(long, value_name = "TEXT")]
    cursor: Option<String>,
}

impl List {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let filter = ListFilter { task: self.task, state: self.state, limit: self.limit.into(), cursor: self.cursor };
        let listed = client.list(filter).await?;
        let document = json!({"runs": listed.runs, "cursor": listed.cursor});
        Ok(cx.output.give(&document, || {
            let mut text = output::runs(&listed.runs, client.ports().clock.now());
            if let Some(cursor) = &listed.cursor {
                text += &format!("\nmore with --cursor '{cursor}'");
            }
            text
        }))
    }
}
