use std::{collections::BTreeMap, process::ExitCode};

use clap::{ArgGroup, Args, Subcommand};
use console::style;
use dacapo::ScheduleState;
use dacapo_dashboard::show::{ago, on_clock_of, pretty};
use dacapo_domain::{Schedule, When};
use jiff::Timestamp;
use serde_json::json;

use super::examples;
use crate::{
    context::Context,
    failure::{CliError, CliResult},
    output::{Table, line, plain},
    times::when,
    values,
};

/// The commands for schedules.
#[derive(Debug, Subcommand)]
pub enum Schedules {
    /// List all schedules, declared ones too
    #[command(after_help = examples!("schedules list"))]
    List,
    /// Show a schedule
    #[command(after_help = examples!("schedules get tenant-7"))]
    Get(ScheduleName),
    /// Create a schedule, or replace the one of this name
    #[command(after_help = examples!("schedules put tenant-7 import-airports --cron '0 6 ? * MON-FRI *' --timezone Europe/Berlin", "schedules put tenant-7 import-airports --every '5 minutes'"))]
    Put(Put),
    /// Pause a schedule: its fires make no run, and a deploy doesn't resume it
    #[command(after_help = examples!("schedules pause tenant-7"))]
    Pause(ScheduleName),
    /// Resume a paused schedule; what it missed is not made up for
    #[command(after_help = examples!("schedules resume tenant-7"))]
    Resume(ScheduleName),
    /// Delete a schedule that was made at run time
    #[command(after_help = examples!("schedules delete tenant-7"))]
    Delete(ScheduleName),
    /// Say when a schedule fires next, whether it is paused or not
    #[command(after_help = examples!("schedules upcoming tenant-7 --next 3"))]
    Upcoming(Upcoming),
}

#[derive(Debug, Args)]
pub struct ScheduleName {
    /// The schedule's name
    name: String,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("rule").required(true))]
pub struct Put {
    /// The schedule's name
    name: String,
    /// The task it starts
    task: String,
    /// An interval of minutes, hours or days, such as "5 minutes"; it fires first when it is created
    #[arg(long, value_name = "TEXT", group = "rule", allow_hyphen_values = true)]
    every: Option<String>,
    /// A calendar expression, such as "0 6 ? * MON-FRI *"
    #[arg(long, value_name = "EXPRESSION", group = "rule", allow_hyphen_values = true)]
    cron: Option<String>,
    /// A single time, such as "2 days", 2027-01-31T08:00:00Z, or milliseconds
    #[arg(long, value_name = "TIME", group = "rule", value_parser = when, allow_hyphen_values = true)]
    at: Option<When>,
    /// The IANA name of the time zone of --cron, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "TZ")]
    timezone: Option<String>,
    /// Make no run while one of this schedule is unfinished
    #[arg(long)]
    skip_while_running: bool,
    /// The body of its runs: JSON, @FILE, or - for standard input [default: {}]
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    body: Option<String>,
}

#[derive(Debug, Args)]
pub struct Upcoming {
    /// The schedule's name
    name: String,
    /// The number of fires
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    next: u16,
}

impl Put {
    fn schedule(&self) -> Schedule {
        let schedule = match (&self.every, &self.cron, &self.at) {
            (Some(every), ..) => dacapo_domain::every(every),
            (_, Some(cron), _) => dacapo_domain::cron(cron),
            (.., at) => dacapo_domain::at(at.clone().unwrap_or_else(|| When::from(""))),
        };
        let schedule = match &self.timezone {
            Some(zone) => schedule.timezone(zone),
            None => schedule,
        };
        if self.skip_while_running { schedule.skip_while_running() } else { schedule }
    }
}

impl Schedules {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let client = cx.client().await?;
        let schedules = client.schedules();
        let now = client.ports().clock.now();
        let state = match self {
            Self::List => {
                let all = schedules.list().await?;
                let document = BTreeMap::from([("schedules", &all)]);
                return Ok(cx.give_of_place(&client, &document, || table(&all, now)).await);
            }
            Self::Upcoming(it) => {
                let next = schedules.upcoming(&it.name, it.next.into()).await?;
                let schedule = schedules.get(&it.name).await?.schedule;
                return Ok(cx.give_of_place(&client, &json!({"next": next}), || fires(&schedule, &next, now)).await);
            }
            Self::Delete(it) => {
                schedules.delete(&it.name).await?;
                let document = json!({"deleted": it.name});
                let text = || format!("schedule {} is deleted", plain(&it.name));
                return Ok(cx.give_of_place(&client, &document, text).await);
            }
            Self::Put(it) => {
                let (body, schedule) = (values::body(it.body.as_deref())?, it.schedule());
                let fires = schedule.check().and_then(|timetable| timetable.since(now));
                fires.map_err(|error| CliError::usage(format!("failed to {error}")))?;
                schedules.put_by_name(&it.name, &it.task, schedule, body).await?
            }
            Self::Get(it) => schedules.get(&it.name).await?,
            Self::Pause(it) => schedules.pause(&it.name).await?,
            Self::Resume(it) => schedules.resume(&it.name).await?,
        };
        Ok(cx.give_of_place(&client, &state, || whole(&state, now)).await)
    }
}

fn table(schedules: &[ScheduleState], now: Timestamp) -> String {
    if schedules.is_empty() {
        return "no schedules".to_owned();
    }
    let mut table = Table::new(&["NAME", "TASK", "FIRES", "MADE IN", "NEXT"]);
    for it in schedules {
        let made_in = if it.declared { "code" } else { "run time" };
        table.row([
            line(&it.name, 48),
            line(&it.task, 48),
            line(&it.schedule.to_string(), 60),
            made_in.to_owned(),
            next(it, now),
        ]);
    }
    table.text()
}

fn next(schedule: &ScheduleState, now: Timestamp) -> String {
    match schedule.next.first() {
        _ if schedule.paused => style("paused").yellow().to_string(),
        Some(fire) => format!("{} ({})", on_clock_of(&schedule.schedule, *fire), ago(*fire, now)),
        None => style("never again").dim().to_string(),
    }
}

fn whole(schedule: &ScheduleState, now: Timestamp) -> String {
    let mut text = format!("{} fires {}", plain(&schedule.name), plain(&schedule.schedule.to_string()));
    text += &format!("\nstarts {} with {}", plain(&schedule.task), plain(&pretty(&schedule.body)));
    match schedule.paused {
        true => text += "\npaused",
        false => text += &format!("\nnext:\n{}", fires(&schedule.schedule, &schedule.next, now)),
    }
    text
}

/// A line for each fire, on the schedule's own clock.
pub fn fires(schedule: &Schedule, next: &[Timestamp], now: Timestamp) -> String {
    let lines = next.iter().map(|fire| format!("{} ({})", on_clock_of(schedule, *fire), ago(*fire, now)));
    lines.collect::<Vec<_>>().join("\n")
}
