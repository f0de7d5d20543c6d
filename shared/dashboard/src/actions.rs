//! The buttons of a run's page. Each answers with a redirection, so that a reload repeats nothing.

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use dacapo_domain::Id;
use serde::Deserialize;

use crate::{dashboard::Dashboard, page_error::PageError, run};

/// The form that a button sends.
#[derive(Deserialize)]
pub struct Pressed {
    #[serde(default)]
    token: String,
    #[serde(default)]
    message: String,
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

fn allowed(dashboard: &Dashboard, sent: &Pressed, id: &str) -> Result<Id, PageError> {
    match dashboard.token.is(&sent.token) {
        true => run::parse(id),
        false => Err(PageError::stale()),
    }
}

fn answer(dashboard: &Dashboard, done: Result<Id, PageError>) -> Response {
    match done {
        Ok(id) => Redirect::to(&format!("/run/{id}")).into_response(),
        Err(error) => error.page(dashboard),
    }
}
