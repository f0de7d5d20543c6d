//! The page of one run, and its buttons.

mod history;
pub mod parts;

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use dacapo_domain::{Id, RunView};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::page::{Dashboard, Frame, PageError};

/// The form that a button sends. It is answered with a redirection, so that a reload repeats nothing.
#[derive(Deserialize)]
pub struct Pressed {
    #[serde(default)]
    token: String,
    #[serde(default)]
    message: String,
}

/// `GET /run/{id}`
pub async fn show(State(dashboard): State<Dashboard>, Path(id): Path<String>) -> Response {
    match page(&dashboard, &id).await {
        Ok(page) => page.into_response(),
        Err(error) => error.page(&dashboard),
    }
}

/// `POST /run/{id}/abort`
pub async fn abort(State(dashboard): State<Dashboard>, Path(id): Path<String>, Form(sent): Form<Pressed>) -> Response {
    let message = match sent.message.trim() {
        "" => "aborted from the dashboard",
        message => message,
    };
    let done = async {
        let id = allowed(&dashboard, &sent, &id)?;
        dashboard.client.abort(id, message).await?;
        Ok(id)
    };
    answer(&dashboard, done.await)
}

/// `POST /run/{id}/replay`
pub async fn replay(State(dashboard): State<Dashboard>, Path(id): Path<String>, Form(sent): Form<Pressed>) -> Response {
    let done = async {
        let id = allowed(&dashboard, &sent, &id)?;
        Ok(dashboard.client.replay(id, None).await?.id())
    };
    answer(&dashboard, done.await)
}

/// The id that an address names.
pub fn parse(id: &str) -> Result<Id, PageError> {
    id.parse().map_err(|error| PageError::not_found(format!("Failed to show a run: {error}.")))
}

fn allowed(dashboard: &Dashboard, sent: &Pressed, id: &str) -> Result<Id, PageError> {
    match dashboard.token.is(&sent.token) {
        true => parse(id),
        false => Err(PageError::stale()),
    }
}

fn answer(dashboard: &Dashboard, done: Result<Id, PageError>) -> Response {
    match done {
        Ok(id) => Redirect::to(&format!("/run/{id}")).into_response(),
        Err(error) => error.page(dashboard),
    }
}

async fn page(dashboard: &Dashboard, id: &str) -> Result<Markup, PageError> {
    let id = parse(id)?;
    let run = dashboard.client.state(id).await?;
    let entries = dashboard.client.logs(id).await?;
    let now = dashboard.now();
    let content = html! {
        div class="head" {
            div {
                h1 { (run.name) }
                p { (parts::state(run.state)) " " span class="id soft" { (run.id.to_string()) } }
                @if !run.state.is_final() { (parts::progress(&run)) }
            }
            (actions(dashboard, &run))
        }
        @if run.completed_at.is_none() { (error(&run)) }
        div class="columns" {
            div {
                div class="sheet" { h2 { "Timeline" } (history::timeline(&run, now)) }
                div class="sheet" { h2 { "Facts" } (facts(&run, now)) }
            }
            div {
                div class="sheet" { (values(&run)) }
                div class="sheet" { h2 { "Log" } (history::log(&entries)) }
            }
        }
    };
    let refresh = (!run.state.is_final()).then_some(2);
    Ok(dashboard.page(&Frame { title: &run.name, at: "/", refresh }, &content))
}

fn error(run: &RunView) -> Markup {
    html! {
        @if let Some(message) = &run.error_message {
            div class="notice" {
                b { (run.error_code.as_deref().unwrap_or("ERROR")) } " " (message)
                @if let Some(stack) = &run.error_stack {
                    details id="stack" { summary { "Causes" } pre { (stack) } }
                }
            }
        }
    }
}

fn facts(run: &RunView, now: Timestamp) -> Markup {
    let trigger = serde_json::to_value(run.trigger).ok();
    let kept = run.expires_at_s.and_then(|at| Timestamp::from_second(at).ok());
    html! {
        dl class="facts" {
            div { dt { "Started by" } dd { (trigger.as_ref().and_then(|it| it.as_str()).unwrap_or_default()) } }
            div { dt { "Iteration" } dd { (run.iteration) } }
            div { dt { "Attempt" } dd { (run.attempt) } }
            div { dt { "Took" } dd { (parts::duration(run, now)) } }
            @if let Some(parent) = run.parent_id {
                div class="wide" { dt { "Parent" } dd { a class="id" href={ "/run/" (parent.to_string()) } { (parent.to_string()) } } }
            }
            @if !run.tags.is_empty() {
                div class="wide" { dt { "Tags" } dd { @for tag in &run.tags { span class="tag" { (tag) } } } }
            }
            @if let Some(kept) = kept { div { dt { "Kept until" } dd { (parts::moment(kept, now)) } } }
        }
    }
}

fn values(run: &RunView) -> Markup {
    html! {
        @if let Some(message) = &run.message { section { h2 { "Message" } p { (message) } } }
        (parts::value("Result", run.result.as_ref()))
        @if let Some(why) = &run.result_left_out { section { h2 { "Result" } p class="soft" { "left out: " (why) } } }
        (parts::value(if run.state.is_final() { "Input of the last iteration" } else { "Input of this iteration" }, run.input.as_ref().filter(|_| run.input != run.body)))
        (parts::value("Body", run.body.as_ref()))
    }
}

fn actions(dashboard: &Dashboard, run: &RunView) -> Markup {
    let path = format!("/run/{}", run.id);
    let token = html! { input type="hidden" name="token" value=(dashboard.token.text()); };
    let again = serde_urlencoded::to_string([("task", &run.name), ("from", &run.id.to_string())]).unwrap_or_default();
    html! {
        div class="actions" {
            @if !run.state.is_final() {
                details class="asks" {
                    summary { "Abort…" }
                    form method="post" action={ (path) "/abort" } {
                        (token)
                        input name="message" aria-label="Why" placeholder="why (kept with the run)" maxlength="500";
                        button class="harm" { "Abort" }
                    }
                }
            }
            a class="button" href={ "/start?" (again) } { "Edit and start" }
            form method="post" action={ (path) "/replay" } { (token) button { "Replay" } }
        }
    }
}
