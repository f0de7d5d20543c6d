//! The list of deliveries that have failed, and of the dead letters among them.

pub mod actions;
pub mod one;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use dacapo::{DeliveryFilter, DeliveryState, DeliveryView};
use dacapo_domain::Manifest;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::{
    list::{self, Counted, PAGE, address, brief, given},
    page::{DEAD_LETTERS, Dashboard, Frame, Page, PageError},
    run::parts,
    show::plain,
};

/// The query of the list's address.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Asked {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    function: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    event: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    cursor: String,
}

/// `GET /deliveries`
pub async fn show(State(dashboard): State<Dashboard>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    dashboard.respond(async { page(&dashboard, &asked?.0).await }).await
}

async fn page(dashboard: &Dashboard, asked: &Asked) -> Result<Page, PageError> {
    let state = given(&asked.state).map(|state| state.parse::<DeliveryState>()).transpose();
    let state = state.map_err(|error| PageError::not_found(format!("Failed to list deliveries: {error}.")))?;
    let filter = DeliveryFilter {
        function: given(&asked.function),
        event: given(&asked.event),
        state,
        limit: PAGE,
        cursor: given(&asked.cursor),
        ..DeliveryFilter::default()
    };
    let manifest = dashboard.client.manifest().await?;
    let (deliveries, now) = (dashboard.client.deliveries(), dashboard.now());
    let newest = DeliveryFilter { state: None, cursor: None, limit: Counted::MOST, ..filter.clone() };
    let (listed, newest) = (deliveries.list(filter).await?, deliveries.list(newest).await?);
    let states = newest.deliveries.iter().map(|delivery| delivery.state.name()).collect();
    let counted = Counted { states, has_more: newest.cursor.is_some() };
    let rows: Vec<Markup> = listed.deliveries.iter().map(|delivery| row(delivery, now)).collect();
    let is_of_dead = state == Some(DeliveryState::Dropped);
    let (title, at) = if is_of_dead { ("Dead letters", DEAD_LETTERS) } else { ("Deliveries", "/deliveries") };
    let newest = (!asked.cursor.is_empty()).then(|| to(asked, |it| it.cursor.clear()));
    let older = listed.cursor.as_ref().map(|cursor| to(asked, |it| it.cursor.clone_from(cursor)));
    let headings = ["State", "Event", "Function", "Published", "Attempts", "Next try", "Last error"];
    let content = html! {
        div class="head" {
            div {
                h1 { (title) }
                p class="soft" { "Events whose handlers failed. What succeeds at the first try has no record." }
            }
            @if is_of_dead && !rows.is_empty() { (actions::redrive_all(dashboard, asked)) }
        }
        (choices(asked, &manifest, &counted))
        (list::left_out(&listed.unreadable))
        (list::table(&headings, &rows, &none(listed.cursor.is_some())))
        (list::pages(newest.as_deref(), older.as_deref()))
    };
    Ok(dashboard.page(&Frame { title, at, refresh: Some(5) }, &content))
}

fn none(has_more: bool) -> Markup {
    html! { "No deliveries here" @if has_more { " yet; older ones follow" } "." }
}

fn choices(asked: &Asked, manifest: &Manifest, counted: &Counted) -> Markup {
    let with_handlers = manifest.functions.iter().filter(|function| !function.subscriptions().is_empty());
    let functions: Vec<&str> = with_handlers.map(|function| &*function.name).collect();
    let events: Vec<&str> = manifest.events().into_iter().collect();
    let state = |name: &'static str| to(asked, |it| (it.state, it.cursor) = (name.to_owned(), String::new()));
    html! {
        div class="filter" {
            (counted.choices(&DeliveryState::ALL.map(DeliveryState::name), &asked.state, state))
            form method="get" action="/deliveries" {
                @if !asked.state.is_empty() { input type="hidden" name="state" value=(asked.state); }
                (list::select("function", "Function", "all functions", &functions, &asked.function))
                (list::select("event", "Event", "all events", &events, &asked.event))
                button { "Show" }
            }
        }
    }
}

/// The address of a delivery's page.
fn address_of(id: &str) -> String {
    address("/delivery", &[("id", id)])
}

/// The address of the list that is asked for in another way.
fn to(asked: &Asked, change: impl FnOnce(&mut Asked)) -> String {
    let mut asked = asked.clone();
    change(&mut asked);
    address("/deliveries", &asked)
}

fn row(delivery: &DeliveryView, now: Timestamp) -> Markup {
    html! {
        tr id={ "delivery-" (delivery.id) } {
            td class="tight" data-label="State" { (state(delivery.state)) }
            td data-label="Event" { a href=(address_of(&delivery.id)) { (plain(&delivery.name)) } }
            td data-label="Function" { (plain(&delivery.function)) }
            td class="tight" data-label="Published" { (parts::moment(delivery.published_at, now)) }
            td class="tight" data-label="Attempts" { (delivery.attempts) }
            td class="tight" data-label="Next try" {
                @match delivery.next_try_at { Some(at) => (parts::moment(at, now)), None => span class="soft" { "–" } }
            }
            td class="wide" data-label="Last error" { (error(delivery)) }
        }
    }
}

/// The state, with its colour.
fn state(state: DeliveryState) -> Markup {
    html! { span class={ "state " (state.name()) } { (state.name()) } }
}

fn error(delivery: &DeliveryView) -> Markup {
    html! {
        @if let Some(message) = &delivery.error_message {
            span class="error clip" {
                @if let Some(code) = &delivery.error_code { b { (brief(code)) } " " }
                (brief(message))
            }
        }
    }
}
