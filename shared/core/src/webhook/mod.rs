//! The addresses of an app for the outside: `POST /token/{token}` completes a token, with the value as the body, and
//! `POST /event` publishes an event.

mod event;
mod key;

use dacapo_domain::{Json, TokenText, limits};
use serde::Serialize;

pub use event::{EVENT_PATH, WebhookRequest, event_webhook};
pub use key::{WebhookKey, WebhookKeyError};

use crate::{
    Error, ErrorKind,
    port::{PortError, PortErrorKind, Ports},
    token::complete,
};

/// The beginning of the path, before the token's text.
pub const TOKEN_PATH: &str = "/token/";

/// The answer to a request.
#[derive(Debug)]
pub struct WebhookAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Json,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said {
    Completed { run: String, token: String },
    Published { id: String, subscribers: usize },
    Error { error: String },
}

/// Answers a request: 200 for the first completion of a token, 409 for one that comes too late, 404 for a token that is
/// none, whatever is wrong with it. No body is the value `{}`.
///
/// # Errors
/// If the answer can't be serialized, which never happens.
pub async fn webhook(ports: &Ports, method: &str, path: &str, body: &[u8]) -> Result<WebhookAnswer, PortError> {
    let completed = completed(ports, method, path, body).await;
    answer(completed.map(|text| (200, Said::Completed { run: text.run.to_string(), token: text.name })))
}

fn answer(said: Result<(u16, Said), (u16, String)>) -> Result<WebhookAnswer, PortError> {
    let (status, said) = said.unwrap_or_else(|(status, error)| (status, Said::Error { error }));
    let body = Json::of(&said)
        .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to write an answer").caused_by(error))?;
    Ok(WebhookAnswer { status, body })
}

async fn completed(ports: &Ports, method: &str, path: &str, body: &[u8]) -> Result<TokenText, (u16, String)> {
    let no_token = || (404, "there is no such token".to_owned());
    let text: TokenText = path.strip_prefix(TOKEN_PATH).and_then(|text| text.parse().ok()).ok_or_else(no_token)?;
    if method != "POST" {
        return Err((405, format!("{method} completes no token (allowed: POST, with the value as the body)")));
    }
    if body.len() > limits::MESSAGE_BYTES {
        let (bytes, allowed) = (body.len(), limits::MESSAGE_BYTES);
        return Err((413, format!("the value has {bytes} bytes (allowed: {allowed})")));
    }
    let value = value(body).map_err(|error| (400, format!("the value can't be used: {error}")))?;
    match complete(ports, &text, value).await {
        Ok(()) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(no_token()),
        Err(error) => Err((status_of(&error), error.to_string())),
    }
}

fn value(body: &[u8]) -> Result<Json, String> {
    if body.is_empty() {
        return Ok(Json::default());
    }
    let value: Json = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    value.check().map_err(|error| error.to_string())?;
    Ok(value)
}

fn status_of(error: &Error) -> u16 {
    match error.kind() {
        ErrorKind::Refused => 409,
        ErrorKind::Usage => 400,
        ErrorKind::Transient | ErrorKind::Unreachable => 503,
        ErrorKind::NotFound | ErrorKind::NoAccess | ErrorKind::NotDeployed => 500,
    }
}
