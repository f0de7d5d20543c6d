//! The buttons of dead letters, and what they do.

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::Response,
};
use dacapo::{DeliveryFilter, DeliveryState};
use dacapo_domain::Bulk;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Asked, address_of};
use crate::{
    form::{Sent, answer, hidden},
    guard::random_text,
    list::given,
    page::{DEAD_LETTERS, Dashboard, PageError},
    show::plain,
};

/// The form of a dead letter's button.
#[derive(Deserialize)]
pub struct Pressed {
    #[serde(default)]
    token: String,
    id: String,
    act: Act,
}

/// The end that a dead letter is put to.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Act {
    Redrive,
    Delete,
}

/// The form that redrives all that a filter names.
#[derive(Deserialize)]
pub struct RedriveAll {
    #[serde(default)]
    token: String,
    /// The bulk run's idempotency key: a form that is sent twice starts one.
    key: String,
    #[serde(default)]
    function: String,
    #[serde(default)]
    event: String,
}

impl Sent for Pressed {
    fn token(&self) -> &str {
        &self.token
    }
}

impl Sent for RedriveAll {
    fn token(&self) -> &str {
        &self.token
    }
}

/// `POST /delivery`: redrives or deletes one.
pub async fn act(State(dashboard): State<Dashboard>, sent: Result<Form<Pressed>, FormRejection>) -> Response {
    let again = |dashboard: &_, sent: &Pressed| form(dashboard, &sent.id, sent.act);
    answer(dashboard, sent, again, async |dashboard, Pressed { id, act, .. }| {
        let deliveries = dashboard.client.deliveries();
        match act {
            Act::Redrive => deliveries.redrive(&id).await.map(|_| address_of(&id)),
            Act::Delete => deliveries.delete(&id).await.map(|()| DEAD_LETTERS.to_owned()),
        }
        .map_err(PageError::from)
    })
    .await
}

/// `POST /deliveries/redrive`: starts a bulk run, whose page shows how far it is.
pub async fn redrives_all(
    State(dashboard): State<Dashboard>,
    sent: Result<Form<RedriveAll>, FormRejection>,
) -> Response {
    answer(dashboard, sent, redrive_all_form, async |dashboard, sent: RedriveAll| {
        let filter = DeliveryFilter {
            function: given(&sent.function),
            event: given(&sent.event),
            state: Some(DeliveryState::Dropped),
            ..DeliveryFilter::default()
        };
        let bulk = dashboard.client.deliveries().redrive_all(filter).key(sent.key);
        Ok(format!("/run/{}", bulk.await?.id()))
    })
    .await
}

/// The buttons of a dead letter; the one that deletes it asks first.
pub fn buttons(dashboard: &Dashboard, id: &str) -> Markup {
    html! {
        div class="actions" {
            details id="delete" { summary { "Delete…" } (form(dashboard, id, Act::Delete)) }
            (form(dashboard, id, Act::Redrive))
        }
    }
}

fn form(dashboard: &Dashboard, id: &str, act: Act) -> Markup {
    let (act, class, says) = match act {
        Act::Redrive => ("redrive", "main", "Redrive"),
        Act::Delete => ("delete", "harm", "Delete it for good"),
    };
    html! {
        form method="post" action="/delivery" {
            (hidden(&[("token", dashboard.token.text()), ("id", id), ("act", act)]))
            button class=(class) { (says) }
        }
    }
}

/// The button that redrives all that a filter names, which asks first.
pub fn redrive_all(dashboard: &Dashboard, asked: &Asked) -> Markup {
    let (function, event) = (asked.function.clone(), asked.event.clone());
    let filled = RedriveAll { token: String::new(), key: random_text(), function, event };
    html! {
        div class="actions" {
            details id="redrive" { summary { "Redrive all…" } (redrive_all_form(dashboard, &filled)) }
        }
    }
}

fn redrive_all_form(dashboard: &Dashboard, filled: &RedriveAll) -> Markup {
    html! {
        form class="stacked" method="post" action="/deliveries/redrive" {
            (hidden(&[
                ("token", dashboard.token.text()),
                ("key", &filled.key),
                ("function", &filled.function),
                ("event", &filled.event),
            ]))
            p {
                "All dead letters"
                @if !filled.function.is_empty() { " of " (plain(&filled.function)) }
                @if !filled.event.is_empty() { " of " (plain(&filled.event)) }
                " are sent again with their attempts at 0, " (Bulk::RATE) " a second."
            }
            button class="main" { "Redrive them" }
        }
    }
}
