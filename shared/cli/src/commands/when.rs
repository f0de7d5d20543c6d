use std::process::ExitCode;

use clap::Args;
use dacapo_dashboard::show::ago;
use jiff::Timestamp;
use serde_json::json;

use super::{Context, moment};
use crate::{
    failure::{Done, Failure},
    output,
};

/// The forms of a time: "5 minutes", "2 days", "3 months", "2027-01-31T08:00:00Z".
#[derive(Debug, Args)]
pub struct When {
    /// A number and a unit, or an RFC 3339 timestamp
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// The moment to count from, as an RFC 3339 timestamp [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
}

impl When {
    pub fn run(self, cx: &Context<'_>) -> Done<ExitCode> {
        let from = self.from.unwrap_or_else(output::now);
        let due = dacapo_domain::When::from(self.text.as_str()).resolve(from);
        let due = due.map_err(|error| Failure::usage(format!("failed to {error}")))?;
        Ok(cx.output.give(&json!({"due": due}), || format!("{due} ({})", ago(due, from))))
    }
}
