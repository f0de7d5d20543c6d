use std::process::ExitCode;

use clap::Args;
use dacapo_domain::{TraceParent, When};
use serde_json::json;

use crate::{
    context::Context,
    failure::{CliResult, suggestion},
    times::when,
    values,
};

/// An event that no function subscribes to is ignored: it is no error, and is said
#[derive(Debug, Args)]
pub struct Publish {
    /// The event's name
    event: String,
    /// The event's body: JSON, @FILE, or - for standard input [default: {}]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    body: Option<String>,
    /// The due time, such as "5 minutes", 2027-01-31T08:00:00Z, or milliseconds [default: now]
    #[arg(long, visible_aliases = ["at", "after"], value_name = "TIME", value_parser = when, allow_hyphen_values = true)]
    when: Option<When>,
    /// The event's id, so that it can be published again safely
    #[arg(long)]
    id: Option<String>,
    /// The trace that it belongs to, as the W3C's traceparent [default: one of its own]
    #[arg(long, value_name = "TEXT")]
    traceparent: Option<TraceParent>,
}

impl Publish {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let body = values::body(self.body.as_deref())?;
        let client = cx.client().await?;
        let manifest = client.manifest().await?;
        let known: Vec<&str> = manifest.events().into_iter().collect();
        let mut publish = client.publish_by_name(&self.event, body);
        if let Some(when) = self.when {
            publish = publish.at(when);
        }
        if let Some(id) = self.id {
            publish = publish.id(&id);
        }
        if let Some(traceparent) = &self.traceparent {
            publish = publish.traceparent(&traceparent.to_string());
        }
        let published = publish.await?;
        let (id, subscribers) = (published.id, published.subscribers);
        let document = json!({"id": id, "subscribers": subscribers});
        let text = || match subscribers {
            0 => {
                let hint = suggestion(&self.event, &known);
                format!("event {id} published; no function subscribes to {:?} now{hint}", self.event)
            }
            1 => format!("event {id} published to 1 function"),
            n => format!("event {id} published to {n} functions"),
        };
        Ok(cx.give_of_place(&client, &document, text).await)
    }
}
