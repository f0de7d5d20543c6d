//! Requests at the conductor's function URL, where the stack has one.

use std::{borrow::Cow, collections::HashMap};

use dacapo_core::{
    conductor::Conductor,
    runner::InvokeError,
    webhook::{EVENT_PATH, WebhookRequest, event_webhook, webhook},
};
use dacapo_domain::Json;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

/// A request as Lambda hands it on, in version 2.0 of its form: what tells it from other payloads is demanded, while
/// `aws_lambda_events` would take any object for one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlRequest {
    raw_path: String,
    request_context: RequestContext,
    /// Their names are in lower case.
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct RequestContext {
    http: Http,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UrlAnswer<'a> {
    status_code: u16,
    headers: Headers,
    body: &'a str,
}

#[derive(Debug, Serialize)]
struct Headers {
    #[serde(rename = "content-type")]
    content_type: &'static str,
}

impl UrlRequest {
    /// Reads a request: `None` where the payload is none.
    pub fn read(payload: &Json) -> Option<Self> {
        payload.parse().ok()
    }

    /// Answers it.
    ///
    /// # Errors
    /// If the answer can't be written.
    pub async fn answer(&self, conductor: &Conductor) -> Result<Json, InvokeError> {
        let (method, body, taken) = (&*self.request_context.http.method, self.body(), conductor.webhooks());
        let answer = if self.raw_path == EVENT_PATH || !taken.tokens {
            let key = taken.events.as_ref().filter(|_| self.raw_path == EVENT_PATH);
            event_webhook(conductor.app(), key, self.request(method, &body)).await?
        } else {
            webhook(conductor.ports(), method, &self.raw_path, &body).await?
        };
        let headers = Headers { content_type: "application/json" };
        let answer = UrlAnswer { status_code: answer.status, headers, body: answer.body.text() };
        Json::of(&answer).map_err(|error| InvokeError::Payload(error.to_string()))
    }

    fn request<'a>(&'a self, method: &'a str, body: &'a [u8]) -> WebhookRequest<'a> {
        let header = |name: &str| self.headers.get(name).map(String::as_str);
        WebhookRequest {
            method,
            body,
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
            traceparent: header("traceparent"),
        }
    }

    /// The body as it was sent. What is no base64 is no JSON either, and is told so.
    fn body(&self) -> Cow<'_, [u8]> {
        let text = self.body.as_bytes();
        let decoded = self.is_base64_encoded.then(|| BASE64.decode(text).ok()).flatten();
        decoded.map_or(Cow::Borrowed(text), Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_at_a_function_url_is_read_and_nothing_else_is_one() {
        let request = Json::from_text(include_str!("fixtures/url-request.json")).unwrap();
        let read = UrlRequest::read(&request).unwrap();
        assert_eq!((&*read.raw_path, &*read.request_context.http.method), ("/token/AZvjQg", "POST"));
        assert_eq!(&*read.body(), br#"{"granted":true}"#);
        let plain = UrlRequest { body: "{}".to_owned(), is_base64_encoded: false, ..read };
        assert_eq!(&*plain.body(), b"{}");
        for other in [r#"{"sweep/1":{}}"#, "{}", include_str!("fixtures/loop-call.json")] {
            assert!(UrlRequest::read(&Json::from_text(other).unwrap()).is_none(), "{other}");
        }
    }
}
