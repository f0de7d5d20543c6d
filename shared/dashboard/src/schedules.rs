//! All schedules with their next fires.

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::{IntoResponse, Redirect, Response},
};
use dacapo::ScheduleState;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    page::{Dashboard, Frame, PageError, again, finish, runs_of},
    run::parts,
    show::{plain, shorten},
};

/// Bytes of a body that are shown, at most.
const BODY: usize = 500;

/// Fires that are shown of each schedule.
const FIRES: usize = 3;

/// The form that a schedule's button sends.
#[derive(Deserialize)]
pub struct Pressed {
    #[serde(default)]
    token: String,
    name: String,
    /// True to pause it, false to resume it.
    paused: bool,
}

/// `GET /schedules`
pub async fn show(State(dashboard): State<Dashboard>) -> Response {
    match page(&dashboard).await {
        Ok(page) => page.into_response(),
        Err(error) => error.page(&dashboard),
    }
}

/// `POST /schedules`: pauses or resumes one.
pub async fn pause(State(dashboard): State<Dashboard>, sent: Result<Form<Pressed>, FormRejection>) -> Response {
    let sent = match sent {
        Ok(Form(sent)) => sent,
        Err(error) => return PageError::unreadable(error.status(), &error.body_text()).page(&dashboard),
    };
    if !dashboard.token.is(&sent.token) {
        return again(&dashboard, &button(&dashboard, &sent.name, sent.paused));
    }
    let schedules = dashboard.client.schedules();
    let done = finish(async move {
        match sent.paused {
            true => schedules.pause(&sent.name).await?,
            false => schedules.resume(&sent.name).await?,
        };
        Ok(())
    });
    match done.await {
        Ok(()) => Redirect::to("/schedules").into_response(),
        Err(error) => error.page(&dashboard),
    }
}

async fn page(dashboard: &Dashboard) -> Result<Markup, PageError> {
    let schedules = dashboard.client.schedules().list().await?;
    let now = dashboard.now();
    let content = html! {
        h1 { "Schedules" }
        p class="soft" { "Times are UTC." }
        div class="scroll" {
            @if schedules.is_empty() { p class="empty" { "There are no schedules." } } @else {
                table {
                    thead { tr {
                        th scope="col" { "Schedule" } th scope="col" { "Task" } th scope="col" { "Fires" }
                        th scope="col" { "Next" } th scope="col" { "Body" } th scope="col" { "" }
                    } }
                    tbody { @for schedule in &schedules { (row(dashboard, schedule, now)) } }
                }
            }
        }
    };
    Ok(dashboard.page(&Frame { title: "Schedules", at: "/schedules", refresh: Some(30) }, &content))
}

fn row(dashboard: &Dashboard, schedule: &ScheduleState, now: Timestamp) -> Markup {
    let address = serde_urlencoded::to_string([("task", &schedule.task)]).unwrap_or_default();
    html! {
        tr {
            td { a href=(runs_of("schedule", &schedule.name)) { (plain(&schedule.name)) } div class="soft" { @if schedule.declared { "in code" } @else { "made at run time" } } }
            td { a href={ "/?" (address) } { (plain(&schedule.task)) } }
            td { (plain(&schedule.schedule.to_string())) }
            td class="tight" {
                @if schedule.paused { span class="state waiting" { "paused" } }
                @for fire in schedule.next.iter().take(FIRES) {
                    div { (fire.strftime("%F %T")) " " span class="soft" { (parts::moment(*fire, now)) } }
                }
                @if schedule.skipped.iter().next().is_some() { div class="soft" { (schedule.skipped.iter().count()) " skipped" } }
            }
            td { code class="clip" { (plain(&shorten(schedule.body.text(), BODY))) } }
            td class="tight" { (button(dashboard, &schedule.name, !schedule.paused)) }
        }
    }
}

/// The form that pauses a schedule, or resumes it.
fn button(dashboard: &Dashboard, name: &str, pauses: bool) -> Markup {
    html! {
        form method="post" action="/schedules" {
            input type="hidden" name="token" value=(dashboard.token.text());
            input type="hidden" name="name" value=(name);
            input type="hidden" name="paused" value=(pauses);
            button { @if pauses { "Pause" } @else { "Resume" } }
        }
    }
}
