//! The address at which the outside publishes events over HTTP: `POST /event`, signed as the Standard Webhooks
//! specification has it. The body, all of which is signed, names the event and holds its body: `{"type": …, "data": …}`.

use std::time::Duration;

use dacapo_domain::{EventMessage, Json, Message, check_event_name, chosen_event_id, limits, until};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Said, WebhookAnswer, WebhookKey, answer, status_of};
use crate::{App, port::PortError, publish, span::read_traceparent};

/// The path.
pub const EVENT_PATH: &str = "/event";
/// The time by which a request's own time may differ from now: what was overheard is refused later.
const WINDOW: Duration = Duration::from_secs(300);
/// The characters of an id, at most.
const ID_CHARS: usize = 256;

/// A request, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebhookRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The header `webhook-id`: the same again where the sender tries again.
    pub id: Option<&'a str>,
    /// The header `webhook-timestamp`: Unix seconds.
    pub timestamp: Option<&'a str>,
    /// The header `webhook-signature`.
    pub signature: Option<&'a str>,
    /// The header `traceparent`.
    pub traceparent: Option<&'a str>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    name: String,
    #[serde(default)]
    data: Json,
}

type Refusal = (u16, String);

/// Answers a request: 202 with the event's id once it is published, or was before by a request with the same id. Without a
/// key there is no such address. What is refused before its signature is known to fit says nothing of what would.
///
/// # Errors
/// If the answer can't be serialized, which never happens.
pub async fn event_webhook(
    app: &App,
    key: Option<&WebhookKey>,
    request: WebhookRequest<'_>,
) -> Result<WebhookAnswer, PortError> {
    let published = match accepted(key, request, app.ports().clock.now()) {
        Ok(event) => match publish(app, &event).await {
            Ok(subscribers) => Ok(Said::Published { id: event.id.to_string(), subscribers }),
            Err(error) => Err((status_of(&error), error.to_string())),
        },
        Err(refused) => Err(refused),
    };
    answer(published.map(|said| (202, said)))
}

/// The event that a request publishes.
fn accepted(key: Option<&WebhookKey>, request: WebhookRequest<'_>, now: Timestamp) -> Result<EventMessage, Refusal> {
    let key = key.ok_or_else(|| (404, "there is no such address".to_owned()))?;
    let WebhookRequest { method, body, .. } = request;
    if method != "POST" {
        return Err((405, format!("{method} publishes no event (allowed: POST)")));
    }
    if body.len() > limits::MESSAGE_BYTES {
        return Err(too_large(body.len()));
    }
    let id = header("webhook-id", request.id)?;
    let timestamp = header("webhook-timestamp", request.timestamp)?;
    if !key.fits(id, timestamp, body, header("webhook-signature", request.signature)?) {
        return Err((401, "the signature doesn't fit".to_owned()));
    }
    check_time(timestamp, now)?;
    if !(1..=ID_CHARS).contains(&id.chars().count()) {
        return Err((400, format!("webhook-id has {} characters (allowed: 1 to {ID_CHARS})", id.chars().count())));
    }
    event(id, request, now)
}

fn event(id: &str, request: WebhookRequest<'_>, now: Timestamp) -> Result<EventMessage, Refusal> {
    let bad = |error: &dyn std::fmt::Display| (400, format!("the body can't be used: {error}"));
    let whole: Json = serde_json::from_slice(request.body).map_err(|error| bad(&error))?;
    whole.check().map_err(|error| bad(&error))?;
    let Event { name, data } = whole.parse().map_err(|error| bad(&error))?;
    check_event_name(&name).map_err(|error| bad(&error))?;
    let event = EventMessage {
        traceparent: request.traceparent.and_then(read_traceparent),
        is_named: true,
        ..EventMessage::at(chosen_event_id(&name, id), name, data, now)
    };
    let bytes = Message::Event(event.clone()).to_text().len();
    if bytes > limits::MESSAGE_BYTES { Err(too_large(bytes)) } else { Ok(event) }
}

fn header<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, Refusal> {
    value.ok_or_else(|| (401, format!("the header {name} is missing")))
}

fn check_time(timestamp: &str, now: Timestamp) -> Result<(), Refusal> {
    let sent = timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let sent = sent.ok_or_else(|| (401, "webhook-timestamp is no time in Unix seconds".to_owned()))?;
    let apart = until(sent, now).max(until(now, sent));
    if apart > WINDOW {
        let (apart, allowed) = (apart.as_secs(), WINDOW.as_secs());
        return Err((401, format!("webhook-timestamp is {apart} s from now (allowed: {allowed})")));
    }
    Ok(())
}

fn too_large(bytes: usize) -> Refusal {
    (413, format!("the event has {bytes} bytes (allowed: {})", limits::MESSAGE_BYTES))
}
