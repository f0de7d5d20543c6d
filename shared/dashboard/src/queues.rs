//! All queues: what they limit, and whether they are paused.

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::{IntoResponse, Response},
};
use dacapo::QueueState;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    form::{Sent, answer},
    list,
    page::{Dashboard, Frame, PageError, runs_of},
    run::parts,
    show::plain,
};

/// The form that a queue's button sends.
#[derive(Deserialize)]
pub struct Pressed {
    #[serde(default)]
    token: String,
    name: String,
    /// True to pause it, false to resume it.
    paused: bool,
}

impl Sent for Pressed {
    fn token(&self) -> &str {
        &self.token
    }

    fn again(&self, dashboard: &Dashboard) -> Markup {
        button(dashboard, &self.name, self.paused)
    }
}

/// `GET /queues`
pub async fn show(State(dashboard): State<Dashboard>) -> Response {
    match page(&dashboard).await {
        Ok(page) => page.into_response(),
        Err(error) => error.page(&dashboard),
    }
}

/// `POST /queues`: pauses or resumes one.
pub async fn pause(State(dashboard): State<Dashboard>, sent: Result<Form<Pressed>, FormRejection>) -> Response {
    answer(dashboard, sent, async |dashboard, sent: Pressed| {
        let queues = dashboard.client.queues();
        match sent.paused {
            true => queues.pause(&sent.name).await?,
            false => queues.resume(&sent.name).await?,
        };
        Ok("/queues".to_owned())
    })
    .await
}

async fn page(dashboard: &Dashboard) -> Result<Markup, PageError> {
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
        tr {
            td data-label="Queue" { b { (plain(&queue.name)) } }
            td data-label="Tasks" { @for task in &queue.tasks { a class="tag" href=(runs_of("task", task)) { (plain(task)) } } }
            td data-label="Limits" { (queue.limits) }
            td class="tight" data-label="Executing" { (executing(queue)) }
            td class="tight" data-label="Line" { (line(queue, now)) }
            td class="tight" { (button(dashboard, &queue.name, queue.paused_at.is_none())) }
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

/// The form that pauses a queue, or resumes it.
fn button(dashboard: &Dashboard, name: &str, pauses: bool) -> Markup {
    html! {
        form method="post" action="/queues" {
            input type="hidden" name="token" value=(dashboard.token.text());
            input type="hidden" name="name" value=(name);
            input type="hidden" name="paused" value=(pauses);
            button aria-label={ @if pauses { "Pause " } @else { "Resume " } (plain(name)) } { @if pauses { "Pause" } @else { "Resume" } }
        }
    }
}
