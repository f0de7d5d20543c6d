//! The page of one delivery.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use dacapo::{DeliveryState, DeliveryView, HandlerRecord, HandlerState};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::{actions, state};
use crate::{
    list::{self, brief},
    page::{DEAD_LETTERS, Dashboard, Frame, Page, PageError},
    run::parts,
    show::plain,
};

/// The query of the page's address: an id has slashes, and an event's name any letter.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    id: String,
}

/// `GET /delivery?id=…`
pub async fn show(State(dashboard): State<Dashboard>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    dashboard.respond(async { page(&dashboard, &asked?.0.id).await }).await
}

async fn page(dashboard: &Dashboard, id: &str) -> Result<Page, PageError> {
    let (delivery, now) = (dashboard.client.deliveries().get(id).await?, dashboard.now());
    let is_dead = delivery.state == DeliveryState::Dropped;
    let handlers: Vec<Markup> = delivery.handlers.iter().map(|handler| row(handler, now)).collect();
    let none = html! { "The record is of a version that named no handlers." };
    let content = html! {
        div class="head" {
            div {
                h1 { (plain(&delivery.name)) }
                p { (state(delivery.state)) " " (parts::id(&delivery.id)) }
            }
            @if is_dead { (actions::buttons(dashboard, id)) }
        }
        (parts::error(delivery.error_message.as_deref(), delivery.error_code.as_deref(), delivery.error_stack.as_deref()))
        div class="columns" {
            div class="sheet" { h2 { "Facts" } (facts(&delivery, now)) }
            div {
                h2 { "Handlers" }
                (list::table(&["Handler", "Attempts", "State", "Last error"], &handlers, &none))
                div class="sheet" { (parts::value("Body", delivery.body.as_ref())) }
            }
        }
    };
    let (at, refresh) = if is_dead { (DEAD_LETTERS, None) } else { ("/deliveries", Some(3)) };
    let refresh = refresh.filter(|_| delivery.state == DeliveryState::Retrying);
    Ok(dashboard.page(&Frame { title: &delivery.name, at, refresh }, &content))
}

fn facts(delivery: &DeliveryView, now: Timestamp) -> Markup {
    let kept = delivery.expires_at_s.and_then(|at| Timestamp::from_second(at).ok());
    html! {
        dl class="facts" {
            div class="wide" { dt { "Function" } dd { (plain(&delivery.function)) } }
            div class="wide" { dt { "Event's id" } dd class="id" { (delivery.event_id.to_string()) } }
            div { dt { "Published" } dd { (parts::moment(delivery.published_at, now)) } }
            div { dt { "Attempts" } dd { (delivery.attempts) } }
            @if let Some(at) = delivery.next_try_at { div { dt { "Next try" } dd { (parts::moment(at, now)) } } }
            @if delivery.redriven_count > 0 { div { dt { "Redriven" } dd { (delivery.redriven_count) } } }
            @if let Some(kept) = kept { div { dt { "Kept until" } dd { (parts::moment(kept, now)) } } }
        }
    }
}

fn row(HandlerRecord { handler, attempts, state }: &HandlerRecord, now: Timestamp) -> Markup {
    let error = match state {
        HandlerState::Done => None,
        HandlerState::Retrying { error, .. } | HandlerState::GivenUp { error } => Some(error),
    };
    html! {
        tr {
            td data-label="Handler" { (plain(handler)) }
            td class="tight" data-label="Attempts" { (attempts) }
            td class="tight" data-label="State" {
                @match state {
                    HandlerState::Done => span class="state completed" { "done" },
                    HandlerState::Retrying { due_at, .. } => { span class="state retrying" { "due" } " " (parts::moment(*due_at, now)) },
                    HandlerState::GivenUp { .. } => span class="state dropped" { "given up" },
                }
            }
            td class="wide" data-label="Last error" {
                @if let Some(error) = error { span class="error" { b { (brief(&error.code)) } " " (brief(&error.message)) } }
            }
        }
    }
}
