//! The values of arguments: a body, a run's id, which runs or deliveries are meant.

use std::io::Read;

use clap::Args;
use dacapo::{DeliveryFilter, DeliveryState, ListFilter};
use dacapo_domain::{Id, Json, State, When};
use jiff::Timestamp;

use crate::{
    failure::{CliError, CliResult},
    times::past,
};

/// The arguments that say which runs are meant.
#[derive(Clone, Debug, Args)]
pub struct RunFilter {
    /// Runs of this task
    #[arg(long, value_name = "NAME")]
    task: Option<String>,
    /// Runs in this state: created, scheduled, submitted, running, waiting, paused, completed, failed, aborted or expired
    #[arg(long)]
    state: Option<State>,
    /// Runs that bear this tag
    #[arg(long, value_name = "TEXT")]
    tag: Option<String>,
    /// Runs that this run has started
    #[arg(long, value_name = "ID", value_parser = run_id)]
    parent: Option<Id>,
    /// Runs that this schedule has started
    #[arg(long, value_name = "NAME")]
    schedule: Option<String>,
    /// Runs created then or later: a timestamp, or how long ago, such as "2 hours" or, in milliseconds, 60000
    #[arg(long, value_name = "TIME", value_parser = past, allow_hyphen_values = true)]
    since: Option<When>,
    /// Runs created before then: a timestamp, or how long ago
    #[arg(long, value_name = "TIME", value_parser = past, allow_hyphen_values = true)]
    until: Option<When>,
}

/// The arguments that say which deliveries are meant.
#[derive(Debug, Args)]
pub struct DeliveryNames {
    /// Deliveries to this function
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// Deliveries of events of this name
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Deliveries of events published then or later: a timestamp, or how long ago, such as "2 hours" or, in milliseconds, 60000
    #[arg(long, value_name = "TIME", value_parser = past, allow_hyphen_values = true)]
    since: Option<When>,
    /// Deliveries of events published before then: a timestamp, or how long ago
    #[arg(long, value_name = "TIME", value_parser = past, allow_hyphen_values = true)]
    until: Option<When>,
}

impl RunFilter {
    /// The filter of the runs that are meant, seen from now.
    pub fn filter(self, now: Timestamp) -> ListFilter {
        let Self { task, state, tag, parent, schedule, since, until } = self;
        ListFilter {
            task,
            state,
            tag,
            parent,
            schedule,
            since: ago(since, now),
            until: ago(until, now),
            ..ListFilter::default()
        }
    }
}

impl DeliveryNames {
    /// The filter of the deliveries that are meant.
    pub fn filter(self, state: Option<DeliveryState>, now: Timestamp) -> DeliveryFilter {
        let Self { function, event, since, until } = self;
        let (since, until) = (ago(since, now), ago(until, now));
        DeliveryFilter { function, event, state, since, until, ..DeliveryFilter::default() }
    }
}

/// The moment so long ago; it was checked when it was read.
fn ago(past: Option<When>, now: Timestamp) -> Option<Timestamp> {
    past.and_then(|past| past.ago(now).ok())
}

/// Reads a `--body`: JSON, `@file`, or `-` for standard input. Without one it is `{}`.
///
/// # Errors
/// As usage, if the file can't be read or isn't JSON; it says where.
pub fn body(given: Option<&str>) -> CliResult<Json> {
    given.map_or_else(|| Ok(Json::default()), |given| json("--body", given))
}

/// Reads an argument of this name: JSON, `@file`, or `-` for standard input.
///
/// # Errors
/// As usage, if the file can't be read or isn't JSON; it says where.
pub fn json(name: &str, given: &str) -> CliResult<Json> {
    let (source, text) = match (given, given.strip_prefix('@')) {
        ("-", _) => ("standard input".to_owned(), std::io::read_to_string(std::io::stdin())),
        (_, Some(file)) => (file.to_owned(), read_file(file)),
        _ => (name.to_owned(), Ok(given.to_owned())),
    };
    let text = text.map_err(|error| CliError::usage(format!("failed to read {source}: {error}")))?;
    parse(&source, &text, source == name)
}

fn read_file(file: &str) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?.read_to_string(&mut text)?;
    Ok(text)
}

fn parse(name: &str, text: &str, is_typed: bool) -> CliResult<Json> {
    if text.trim().is_empty() {
        return Err(CliError::usage(format!("{name} is empty (expected one JSON value, such as '{{}}')")));
    }
    let body = Json::from_text(text.trim_start_matches('\u{feff}')).map_err(|error| {
        // A text that was typed bare, such as --body hello, is the mistake that is made most.
        let hint = if error.line() == 1 && is_typed { " (quote it for the shell: '{\"a\": 1}')" } else { "" };
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        CliError::usage(format!("{name} is not JSON: {what} at line {line} column {column}{hint}"))
    })?;
    body.check().map_err(|error| CliError::usage(format!("{name} can't be used: {error}")))?;
    Ok(body)
}

/// Reads a run's id.
pub fn run_id(text: &str) -> Result<Id, String> {
    text.parse().map_err(|error: dacapo_domain::IdError| error.to_string())
}
