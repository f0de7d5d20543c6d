//! Forms: sent, done to their end, and answered with the page that shows what came of it.

use std::time::Duration;

use axum::{
    Form,
    extract::rejection::FormRejection,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::de::DeserializeOwned;

use crate::page::{Dashboard, Frame, PageError};

/// The time within which a form that is sent again starts nothing.
pub const SENT_AGAIN: Duration = Duration::from_secs(86_400);

/// A form as it is sent.
pub trait Sent: DeserializeOwned + Send + 'static {
    /// The token that it carries.
    fn token(&self) -> &str;
}

/// Does what a form asks for, and leads to the address that it gives, so that a reload repeats nothing. With another
/// process's token it comes back as `form` draws it.
pub async fn answer<S: Sent, W>(
    dashboard: Dashboard,
    sent: Result<Form<S>, FormRejection>,
    form: impl FnOnce(&Dashboard, &S) -> Markup,
    act: impl FnOnce(Dashboard, S) -> W,
) -> Response
where
    W: Future<Output = Result<String, PageError>> + Send + 'static,
{
    let done = match sent {
        Ok(Form(sent)) if !dashboard.token.is(sent.token()) => return again(&dashboard, &form(&dashboard, &sent)),
        Ok(Form(sent)) => finish(act(dashboard.clone(), sent)).await,
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(address) => Redirect::to(&address).into_response(),
        Err(error) => error.page(&dashboard),
    }
}

/// Does what a form asks for, to its end, also where its browser goes away before it has the answer.
pub async fn finish<T: Send + 'static>(
    work: impl Future<Output = Result<T, PageError>> + Send + 'static,
) -> Result<T, PageError> {
    tokio::spawn(work).await.unwrap_or_else(|error| Err(PageError::lost(&error)))
}

/// The page of a form whose token is another process's: the same form once more, filled, with the token of this one.
pub fn again(dashboard: &Dashboard, form: &Markup) -> Response {
    let content = html! {
        h1 { "Once more, please" }
        p class="notice" role="alert" {
            "The dashboard was started again after this form was made. Nothing was done yet: send it again."
        }
        (form)
    };
    let frame = Frame { title: "Once more, please", at: "", refresh: None };
    (StatusCode::FORBIDDEN, dashboard.page(&frame, &content)).into_response()
}

/// A field for JSON, which is checked as it is typed. Without JavaScript the answer to the form says what is wrong.
pub fn json(name: &str, label: &str, value: &str, rows: u32) -> Markup {
    let problem = format!("{name}-problem");
    html! {
        div class="field" {
            label { span { (label) }
                textarea name=(name) rows=(rows) spellcheck="false" data-json aria-describedby=(problem) { (value) }
            }
            p id=(problem) class="problem" role="status" {}
            button type="button" class="scripted" data-lays-out { "Lay out" }
        }
    }
}

/// Fields that a form carries unseen.
pub fn hidden(fields: &[(&str, &str)]) -> Markup {
    html! { @for (name, value) in fields { input type="hidden" name=(name) value=(value); } }
}
