//! All queues: what they limit, and whether they are paused.

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::Response,
};
use dacapo::QueueState;
use jiff::Timestamp;
use maud::{Markup, html};

use crate::{
    list,
    page::{Dashboard, Frame, Page, PageError, runs_of},
    run::parts,
    show::plain,
    switch::{self, Pressed},
};

/// `GET /queues`
pub async fn show(State(dashboard): State<Dashboard>) -> Response {
    dashboard.respond(page(&dashboard)).await
}

/// `POST /queues`: pauses or resumes one.
pub async fn pause(State(dashboard): State<Dashboard>, sent: Result<Form<Pressed>, FormRejection>) -> Response {
    switch::press(dashboard, sent, "/queues", async |client, Pressed { name, paused, .. }| {
        let queues = client.queues();
        let state = if paused { queues.pause(&name).await } else { queues.resume(&name).await };
        state.map(drop)
    })
    .await
}

async fn page(dashboard: &Dashboard) -> Result<Page, PageError> {
    let (queues, now) = (dashboard.client.queues().list().await?, dashboard.now());
    let rows: Vec<Markup> = queues.iter().map(|queue| row(dashboard, queue, now)).collect();
    let headings = ["Queue", "Tasks", "Limits", "Executing", "Line", "Change"];
    let content = html! {
        h1 { "Queues" }
        p class="soft" { "A task that names no queue has its own, of its name. What is paused stays so over deploys." }
        (list::table(&headings, &rows, &html! { "There are no queues: the app has no tasks." }))
    };
    Ok(dashboard.page(&Frame { title: "Queues", at: "/queues", refresh: Some(5) }, &content))
}

fn row(dashboard: &Dashboard, queue: &QueueState, now: Timestamp) -> Markup {
    html! {
        tr id={ "queue-" (queue.name) } {
            td data-label="Queue" { b { (plain(&queue.name)) } }
            td data-label="Tasks" { @for task in &queue.tasks { a class="tag" href=(runs_of("task", task)) { (plain(task)) } } }
            td data-label="Limits" { (queue.limits) }
            td class="tight" data-label="Executing" { (executing(queue)) }
            td class="tight" data-label="Line" { (line(queue, now)) }
            td class="tight" { (switch::button(dashboard, "/queues", &queue.name, queue.paused_at.is_none())) }
        }
    }
}

/// The number of attempts that have a place, of how many; it is counted where there are places.
fn executing(queue: &QueueState) -> Markup {
    html! {
        @match (queue.executing, queue.limits.total.concurrency) {
            (Some(executing), Some(most)) => { (executing) " of " (most) },
            _ => span class="soft" { "not counted" },
        }
    }
}

fn line(queue: &QueueState, now: Timestamp) -> Markup {
    html! {
        @if let Some(since) = queue.paused_at {
            span class="state paused" { "paused" } div class="soft" { (parts::moment(since, now)) }
        } @else if queue.has_waiting { span class="state waiting" { "runs wait" } } @else { span class="soft" { "nothing waits" } }
    }
}
