//! Actions on all runs, or dead letters, that options name.

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
    /// Go on without being asked: needed where no terminal is there to ask at
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
            let text = || format!("it would be done to {count}");
            return Ok(cx.give_of_place(client, &json!({"count": count}), text).await);
        }
        if !self.yes {
            Self::asks(cx, client, &start).await?;
        }
        let id = start.per_second(self.per_second).await?.id();
        if self.wait {
            return until_its_end(cx, client, id).await;
        }
        Ok(cx.give_of_place(client, &json!({"id": id}), || format!("bulk run {id} started")).await)
    }

    /// Asks whether it is to be done; refuses where there is no terminal to ask at.
    async fn asks(cx: &Context<'_>, client: &Client, start: &StartBulk) -> CliResult<()> {
        if !cx.output.can_ask() {
            let text =
                "nothing was done: here nobody can be asked whether to go on (count with --dry-run, then say --yes)";
            return Err(CliError::usage(text));
        }
        let (count, place) = (start.count().await?, cx.answered_by(client).await);
        match cx.output.asks(&format!("it will be done to {count} of {place}: go on? [y/N] ")) {
            true => Ok(()),
            false => Err(CliError::failed("nothing was done (answer with y, or use --yes)")),
        }
    }
}
