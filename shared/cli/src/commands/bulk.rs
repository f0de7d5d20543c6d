//! What is done to all runs, or dead letters, that options name.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use dacapo::{Client, DeliveryFilter, ListFilter, StartBulk};
use serde_json::json;

use super::{examples, run::until_its_end};
use crate::{
    context::Context,
    failure::{CliError, CliResult},
    values::{DeliveryNames, RunFilter},
};

/// The commands for many at once. Each is a run of its own, which can be shown, waited for and aborted.
#[derive(Debug, Subcommand)]
pub enum Bulk {
    /// Abort all runs that the options name and that have not ended
    #[command(after_help = examples!("bulk abort --task import-airports --since '1 hour' --dry-run"))]
    Abort(Abort),
    /// Start a run like each that the options name
    #[command(after_help = examples!("bulk replay --state failed --since '1 day' --per-second 20"))]
    Replay(Replay),
    /// Send all dead letters again that the options name, with their attempts at 0
    #[command(after_help = examples!("bulk redrive --function user-joined"))]
    Redrive(Redrive),
}

#[derive(Debug, Args)]
pub struct Abort {
    #[command(flatten)]
    filter: RunFilter,
    /// The reason; kept with each run
    #[arg(long, value_name = "TEXT", default_value = "aborted by hand")]
    message: String,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub struct Replay {
    #[command(flatten)]
    filter: RunFilter,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub struct Redrive {
    #[command(flatten)]
    names: DeliveryNames,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub struct How {
    /// Do it to all: needed where no other option says to which
    #[arg(long)]
    all: bool,
    /// Count them, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// The number that it is done to in a second, at most: 1 to 1000
    #[arg(long, value_name = "N", default_value_t = dacapo_domain::Bulk::RATE, value_parser = clap::value_parser!(u32).range(1..=1000))]
    per_second: u32,
    /// Wait for its end
    #[arg(long)]
    wait: bool,
    /// Don't ask first, as is done on a terminal
    #[arg(long)]
    yes: bool,
}

impl Bulk {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let now = client.ports().clock.now();
        let runs = |filter: RunFilter, how: &How| {
            let filter = filter.filter(now);
            how.check(filter == ListFilter::default()).map(|()| client.bulk(filter))
        };
        let (start, how) = match self {
            Self::Abort(Abort { filter, message, how }) => (runs(filter, &how)?.abort(message), how),
            Self::Replay(Replay { filter, how }) => (runs(filter, &how)?.replay(), how),
            Self::Redrive(Redrive { names, how }) => {
                let filter = names.filter(None, now);
                how.check(filter == DeliveryFilter::default())?;
                (client.deliveries().redrive_all(filter), how)
            }
        };
        how.start(cx, &client, start).await
    }
}

impl How {
    /// Nothing is done to all by mistake.
    fn check(&self, is_of_all: bool) -> CliResult<()> {
        match (is_of_all, self.all) {
            (true, false) => Err(CliError::usage("name which are meant, or all of them with --all")),
            (false, true) => Err(CliError::usage("--all goes with no option that says which are meant")),
            _ => Ok(()),
        }
    }

    async fn start(self, cx: &Context<'_>, client: &Client, start: StartBulk) -> CliResult<ExitCode> {
        if self.dry_run {
            let count = start.count().await?;
            return Ok(cx.output.give(&json!({"count": count}), || format!("it would be done to {count}")));
        }
        if !self.yes && cx.output.can_ask() {
            let count = start.count().await?;
            if !cx.output.asks(&format!("it will be done to {count}: go on? [y/N] ")) {
                return Err(CliError::failed("nothing was done (answer with y, or use --yes)"));
            }
        }
        let id = start.per_second(self.per_second).await?.id();
        if self.wait {
            cx.output.note(&format!("run {id}"));
            return until_its_end(cx, client, id).await;
        }
        Ok(cx.output.give(&json!({"id": id}), || format!("bulk run {id} started")))
    }
}
