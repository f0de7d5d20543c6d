use std::process::ExitCode;

use clap::Args;
use dacapo_domain::Schedule;
use jiff::Timestamp;
use serde_json::json;

use super::{Context, moment};
use crate::{
    failure::{Done, Failure},
    output,
};

/// Six fields: minute, hour, day of month, month, day of week, year; one of the two days is "?".
#[derive(Debug, Args)]
pub struct Cron {
    /// The expression, in one argument
    #[arg(allow_hyphen_values = true)]
    expression: String,
    /// The IANA name of the time zone it is read in, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "TZ")]
    timezone: Option<String>,
    /// The moment from which on it is looked for fires, as an RFC 3339 timestamp [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// So many fires
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    next: u16,
}

impl Cron {
    pub fn run(self, cx: &Context<'_>) -> Done<ExitCode> {
        let schedule = dacapo_domain::cron(self.expression);
        let schedule = match self.timezone {
            Some(zone) => schedule.timezone(zone),
            None => schedule,
        };
        preview(cx, &schedule, self.from, self.next)
    }
}

/// Prints the first fires of a schedule that is created at a moment.
pub fn preview(cx: &Context<'_>, schedule: &Schedule, from: Option<Timestamp>, count: u16) -> Done<ExitCode> {
    let from = from.unwrap_or_else(output::now);
    let fires = schedule.check().and_then(|timetable| timetable.since(from));
    let fires = fires.map_err(|error| Failure::usage(format!("failed to {error}")))?;
    let next: Vec<Timestamp> = fires.all().take(count.into()).collect();
    Ok(cx.output.give(&json!({"next": next}), || super::schedules::fires(&next, from)))
}
