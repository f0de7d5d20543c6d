//! All schedules with their next fires.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use dacapo_domain::{Manifest, ScheduleEntry};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::{Dashboard, failure::Failure, layout::Frame, run::parts};

/// Fires that are shown of each schedule.
const FIRES: usize = 3;

/// `GET /schedules`
pub async fn show(State(dashboard): State<Dashboard>) -> Response {
    match page(&dashboard).await {
        Ok(page) => page.into_response(),
        Err(failure) => failure.page(&dashboard),
    }
}

async fn page(dashboard: &Dashboard) -> Result<Markup, Failure> {
    let manifest = dashboard.client.manifest().await?;
    let now = dashboard.now();
    let content = html! {
        h1 { "Schedules" }
        p class="soft" { "Next fires in UTC, as seen from now." }
        (table(&manifest, now))
    };
    Ok(dashboard.page(&Frame { title: "Schedules", at: "/schedules", refresh: Some(30) }, &content))
}

fn table(manifest: &Manifest, now: Timestamp) -> Markup {
    let declared: Vec<(&str, &ScheduleEntry)> = manifest
        .tasks()
        .flat_map(|(_, task)| task.schedules.iter().map(|schedule| (task.name.as_str(), schedule)))
        .collect();
    html! {
        div class="scroll" {
            @if declared.is_empty() { p class="empty" { "No task declares a schedule." } } @else {
                table {
                    thead { tr {
                        th scope="col" { "Schedule" } th scope="col" { "Task" } th scope="col" { "Fires" }
                        th scope="col" { "Next" } th scope="col" { "Body" }
                    } }
                    tbody { @for (task, schedule) in declared { (row(task, schedule, now)) } }
                }
            }
        }
    }
}

fn row(task: &str, entry: &ScheduleEntry, now: Timestamp) -> Markup {
    let next: Vec<Timestamp> = entry
        .schedule
        .check()
        .and_then(|timetable| timetable.since(now))
        .map(|fires| fires.after(now).take(FIRES).collect())
        .unwrap_or_default();
    let address = serde_urlencoded::to_string([("task", task)]).unwrap_or_default();
    html! {
        tr {
            td { (entry.name) }
            td { a href={ "/?" (address) } { (task) } }
            td { (entry.schedule) }
            td class="tight" {
                @for fire in next { div { (fire.strftime("%F %T")) " " span class="soft" { (parts::moment(fire, now)) } } }
            }
            td class="wide" { code { (entry.body.text()) } }
        }
    }
}
