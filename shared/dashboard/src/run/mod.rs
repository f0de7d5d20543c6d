//! The page of one run, and its buttons.

pub mod actions;
mod family;
mod history;
pub mod parts;
mod price;
mod timeline;

use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::Response,
};
use dacapo_domain::{Id, RunView};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    page::{Dashboard, Frame, Page, PageError, runs_of},
    show::{plain, shorten, waits_for},
};

/// The page's query: where in the log it is.
#[derive(Deserialize)]
pub struct Asked {
    /// The place of the entry that those shown come before.
    before: Option<String>,
}

/// `GET /run/{id}`
pub async fn show(
    State(dashboard): State<Dashboard>,
    id: Result<Path<String>, PathRejection>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    dashboard.respond(async { page(&dashboard, address(id)?, asked?.0.before.as_deref()).await }).await
}

/// The id that a text names.
pub fn parse(id: &str) -> Result<Id, PageError> {
    id.parse().map_err(|error| PageError::not_found(shorten(&format!("Failed to show a run: {error}."), 500)))
}

/// The id that an address names.
pub fn address(id: Result<Path<String>, PathRejection>) -> Result<Id, PageError> {
    match id {
        Ok(Path(id)) => parse(&id),
        Err(error) => Err(PageError::not_found(format!("Failed to show a run: {}.", error.body_text()))),
    }
}

async fn page(dashboard: &Dashboard, id: Id, before: Option<&str>) -> Result<Page, PageError> {
    let run = dashboard.client.state(id).await?;
    let log = dashboard.client.logs_before(id, before, history::ENTRIES).await?;
    let steps = dashboard.client.steps(id).await?;
    let usage = dashboard.client.usage(id).await?;
    let (family, now) = (family::tree(dashboard, &run).await?, dashboard.now());
    let content = html! {
        div class="head" {
            div {
                h1 { (plain(&run.name)) }
                p { (parts::state(run.state)) " " (parts::id(&run.id.to_string())) }
                @if !run.state.is_final() { (parts::progress(&run)) }
            }
            (actions::buttons(dashboard, &run))
        }
        @if run.completed_at.is_none() {
            (parts::error(run.error_message.as_deref(), run.error_code.as_deref(), run.error_stack.as_deref()))
        }
        div class="sheet" { h2 { "Life" } (timeline::chart(&run, &steps, &log, now)) }
        div class="columns" {
            div {
                div class="sheet" { h2 { "Timeline" } (history::timeline(&run, &steps, now)) }
                div class="sheet" { h2 { "Facts" } (facts(&run, now)) }
                (family)
                (price::sheet(&usage))
            }
            div {
                div class="sheet" { (values(&run)) }
                div class="sheet" { h2 { "Log" } (history::log(&run, &log, before.is_some())) }
            }
        }
    };
    let refresh = (!run.state.is_final() && before.is_none()).then_some(2);
    Ok(dashboard.page(&Frame { title: &run.name, at: "/", refresh }, &content))
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
            @if let Some(awaited) = run.waits_for.as_ref().and_then(|awaited| waits_for(awaited, now)) {
                div class="wide" { dt { "Waits for" } dd { (plain(&shorten(&awaited, 500))) } }
            }
            @if !run.tags.is_empty() {
                div class="wide" { dt { "Tags" } dd { @for tag in &run.tags { a class="tag" href=(runs_of("tag", tag)) { (plain(tag)) } } } }
            }
            div { dt { "Started by it" } dd { a href=(runs_of("parent", &run.id.to_string())) { "its runs" } } }
            @if let Some(kept) = kept { div { dt { "Kept until" } dd { (parts::moment(kept, now)) } } }
        }
    }
}

fn values(run: &RunView) -> Markup {
    html! {
        @if let Some(message) = &run.message { section { h2 { "Message" } p { (plain(message)) } } }
        (parts::value("Result", run.result.as_ref()))
        @if let Some(why) = &run.result_left_out { section { h2 { "Result" } p class="soft" { "left out: " (plain(why)) } } }
        (parts::value(if run.state.is_final() { "Input of the last iteration" } else { "Input of this iteration" }, run.input.as_ref().filter(|_| run.input != run.body)))
        (parts::value("Output", run.output.as_ref()))
        (parts::value("Metadata", run.metadata.as_ref()))
        (parts::value("Body", run.body.as_ref()))
    }
}
