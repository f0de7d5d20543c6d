//! All schedules with their next fires.

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::Response,
};
use dacapo::ScheduleState;
use jiff::Timestamp;
use maud::{Markup, html};

use crate::{
    list,
    page::{Dashboard, Frame, Page, PageError, runs_of},
    run::parts,
    show::{on_clock_of, plain, shorten},
    switch::{self, Pressed},
};

/// Bytes of a body that are shown, at most.
const BODY: usize = 500;

/// Fires that are shown of each schedule.
const FIRES: usize = 3;

/// `GET /schedules`
pub async fn show(State(dashboard): State<Dashboard>) -> Response {
    dashboard.respond(page(&dashboard)).await
}

/// `POST /schedules`: pauses or resumes one.
pub async fn pause(State(dashboard): State<Dashboard>, sent: Result<Form<Pressed>, FormRejection>) -> Response {
    switch::press(dashboard, sent, "/schedules", async |client, Pressed { name, paused, .. }| {
        let schedules = client.schedules();
        let state = if paused { schedules.pause(&name).await } else { schedules.resume(&name).await };
        state.map(drop)
    })
    .await
}

async fn page(dashboard: &Dashboard) -> Result<Page, PageError> {
    let schedules = dashboard.client.schedules().list().await?;
    let now = dashboard.now();
    let rows: Vec<Markup> = schedules.iter().map(|schedule| row(dashboard, schedule, now)).collect();
    let headings = ["Schedule", "Task", "Fires", "Next", "Body", "Change"];
    let content = html! {
        h1 { "Schedules" }
        p class="soft" { "Times are those of each schedule's own clock." }
        (list::table(&headings, &rows, &html! { "There are no schedules." }))
    };
    Ok(dashboard.page(&Frame { title: "Schedules", at: "/schedules", refresh: Some(30) }, &content))
}

fn row(dashboard: &Dashboard, schedule: &ScheduleState, now: Timestamp) -> Markup {
    html! {
        tr id={ "schedule-" (schedule.name) } {
            td data-label="Schedule" { a href=(runs_of("schedule", &schedule.name)) { (plain(&schedule.name)) } div class="soft" { @if schedule.declared { "in code" } @else { "made at run time" } } }
            td data-label="Task" { a href=(runs_of("task", &schedule.task)) { (plain(&schedule.task)) } }
            td data-label="Fires" { (plain(&schedule.schedule.to_string())) }
            td class="tight" data-label="Next" {
                @if schedule.paused { span class="state waiting" { "paused" } }
                @for fire in schedule.next.iter().take(FIRES) {
                    div { (on_clock_of(&schedule.schedule, *fire)) " " span class="soft" { (parts::moment(*fire, now)) } }
                }
                @if schedule.skipped.iter().next().is_some() { div class="soft" { (schedule.skipped.iter().count()) " skipped" } }
            }
            td data-label="Body" { code class="clip" { (plain(&shorten(schedule.body.text(), BODY))) } }
            td class="tight" { (switch::button(dashboard, "/schedules", &schedule.name, !schedule.paused)) }
        }
    }
}
