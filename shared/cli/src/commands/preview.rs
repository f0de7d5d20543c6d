//! Times and schedules, tried out without an app: when, every, cron.

use std::process::ExitCode;

use clap::Args;
use dacapo_dashboard::show::ago;
use dacapo_domain::Schedule;
use jiff::Timestamp;
use serde_json::json;

use super::schedules::fires;
use crate::{
    context::Context,
    failure::{CliError, CliResult},
    output,
    times::{moment, when},
};

/// The forms of a time: "5 minutes", "2 days", "3 months", "2027-01-31T08:00:00Z".
#[derive(Debug, Args)]
pub struct When {
    /// A number and a unit, an RFC 3339 timestamp, or a number of milliseconds from now or since 1970
    #[arg(allow_hyphen_values = true, value_parser = when)]
    text: dacapo_domain::When,
    /// The time to count from, such as 2027-01-31T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
}

impl When {
    pub fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let from = self.from.unwrap_or_else(output::now);
        let due = self.text.resolve(from).map_err(|error| CliError::usage(format!("failed to {error}")))?;
        Ok(cx.output.give(&json!({"due": due}), || format!("{due} ({})", ago(due, from))))
    }
}

/// The fires of a schedule that is created at --from: the first is its creation.
#[derive(Debug, Args)]
pub struct Every {
    /// A whole number of minutes, hours or days
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// The time at which the schedule is created, such as 2027-01-31T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// The number of fires
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    next: u16,
}

impl Every {
    pub fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        preview(cx, &dacapo_domain::every(self.text), self.from, self.next)
    }
}

/// Six fields: minute, hour, day of month, month, day of week, year; one of the two days is "?".
#[derive(Debug, Args)]
pub struct Cron {
    /// The expression, in one argument
    #[arg(allow_hyphen_values = true)]
    expression: String,
    /// The IANA name of the time zone it is read in, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "TZ")]
    timezone: Option<String>,
    /// The time from which fires are looked for, such as 2027-01-31T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// The number of fires
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    next: u16,
}

impl Cron {
    pub fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let schedule = dacapo_domain::cron(self.expression);
        let schedule = match self.timezone {
            Some(zone) => schedule.timezone(zone),
            None => schedule,
        };
        preview(cx, &schedule, self.from, self.next)
    }
}

/// Prints the first fires of a schedule that is created at a time.
fn preview(cx: &Context<'_>, schedule: &Schedule, from: Option<Timestamp>, count: u16) -> CliResult<ExitCode> {
    let from = from.unwrap_or_else(output::now);
    let upcoming = schedule.check().and_then(|timetable| timetable.since(from));
    let upcoming = upcoming.map_err(|error| CliError::usage(format!("failed to {error}")))?;
    let next: Vec<Timestamp> = upcoming.all().take(count.into()).collect();
    Ok(cx.output.give(&json!({"next": next}), || fires(schedule, &next, from)))
}
