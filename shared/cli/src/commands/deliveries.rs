//! Deliveries of events that have failed, and those among them that are dead letters.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use dacapo::{Client, DeliveryFilter, DeliveryState, DeliveryView, ListedDeliveries};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{bulk, examples};
use crate::{
    context::Context,
    failure::CliResult,
    output::{self, delivery, plain},
    values::DeliveryNames,
};

/// The commands for deliveries.
#[derive(Debug, Subcommand)]
pub enum Deliveries {
    /// List deliveries that have failed, newest first
    #[command(after_help = examples!("deliveries list --function user-joined --state retrying"))]
    List(List),
    /// Show a delivery: body, attempts, last error, next try
    #[command(after_help = examples!("deliveries show 01KDVJ29Q0Q0B9FME0N1VT25N3/user-joined/user.joined"))]
    Show(DeliveryId),
}

/// The commands for dead letters: deliveries that were dropped.
#[derive(Debug, Subcommand)]
pub enum DeadLetters {
    /// List dead letters, newest first
    #[command(after_help = examples!("dead-letters list --event user.joined"))]
    List(ListDead),
    /// Show a dead letter: body, attempts, last error
    #[command(after_help = examples!("dead-letters show 01KDVJ29Q0Q0B9FME0N1VT25N3/user-joined/user.joined"))]
    Show(DeliveryId),
    /// Send dead letters again, with their attempts at 0
    #[command(after_help = examples!("dead-letters redrive 01KDVJ29Q0Q0B9FME0N1VT25N3/user-joined/user.joined", "dead-letters redrive --event user.joined --dry-run"))]
    Redrive(RedriveDead),
    /// Delete a dead letter
    #[command(after_help = examples!("dead-letters delete 01KDVJ29Q0Q0B9FME0N1VT25N3/user-joined/user.joined"))]
    Delete(DeliveryId),
}

#[derive(Debug, Args)]
pub struct DeliveryId {
    /// The delivery's id, as the list shows it
    id: String,
}

#[derive(Debug, Args)]
pub struct List {
    /// Deliveries in this state: retrying, dropped or delivered
    #[arg(long)]
    state: Option<DeliveryState>,
    #[command(flatten)]
    list: ListDead,
}

#[derive(Debug, Args)]
pub struct ListDead {
    #[command(flatten)]
    names: DeliveryNames,
    /// The number of deliveries, at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// The cursor that the page before ended with
    #[arg(long, value_name = "TEXT")]
    cursor: Option<String>,
}

/// One dead letter; or all that the options name, by a bulk run.
#[derive(Debug, Args)]
pub struct RedriveDead {
    /// The delivery's id, as the list shows it
    #[arg(conflicts_with_all = ["function", "event", "since", "until", "all", "dry_run", "per_second", "wait", "yes"])]
    id: Option<String>,
    #[command(flatten)]
    all: bulk::Redrive,
}

/// A page of deliveries, for programs.
#[derive(Serialize)]
struct Page<'a> {
    deliveries: &'a [DeliveryView],
    cursor: Option<&'a str>,
    /// The bounds of time that the cursor is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    unreadable: &'a [String],
}

impl Deliveries {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        match self {
            Self::List(List { state, list }) => list.run(cx, &client, state).await,
            Self::Show(it) => it.show(cx, &client).await,
        }
    }
}

impl DeadLetters {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        match self {
            Self::List(it) => it.run(cx, &client, Some(DeliveryState::Dropped)).await,
            Self::Show(it) => it.show(cx, &client).await,
            Self::Redrive(it) => it.run(cx, &client).await,
            Self::Delete(DeliveryId { id }) => {
                client.deliveries().delete(&id).await?;
                Ok(cx.output.give(&json!({"deleted": id}), || format!("dead letter {} is deleted", plain(&id))))
            }
        }
    }
}

impl DeliveryId {
    async fn show(self, cx: &Context<'_>, client: &Client) -> CliResult<ExitCode> {
        let it = client.deliveries().get(&self.id).await?;
        Ok(cx.output.give(&it, || delivery::whole(&it, client.ports().clock.now())))
    }
}

impl ListDead {
    async fn run(self, cx: &Context<'_>, client: &Client, state: Option<DeliveryState>) -> CliResult<ExitCode> {
        let (now, Self { names, limit, cursor }) = (client.ports().clock.now(), self);
        let filter = DeliveryFilter { limit: limit.into(), cursor, ..names.filter(state, now) };
        let (since, until) = (filter.since, filter.until);
        let ListedDeliveries { deliveries, unreadable, cursor } = client.deliveries().list(filter).await?;
        let cursor = cursor.as_deref();
        let document = Page { deliveries: &deliveries, cursor, since, until, unreadable: &unreadable };
        let text = || output::page(delivery::table(&deliveries, now), &unreadable, output::more(cursor, since, until));
        Ok(cx.give_of_place(client, &document, text).await)
    }
}

impl RedriveDead {
    async fn run(self, cx: &Context<'_>, client: &Client) -> CliResult<ExitCode> {
        if let Some(id) = self.id {
            let redriven = client.deliveries().redrive(&id).await?;
            return Ok(cx.output.give(&redriven, || format!("delivery {} is on its way again", plain(&id))));
        }
        bulk::Bulk::Redrive(self.all).run(cx).await
    }
}
