//! Requests at the conductor's function URL, where the stack has one.

use std::borrow::Cow;

use dacapo_core::{port::Ports, runner::InvokeError, webhook::webhook};
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
    pub async fn answer(&self, ports: &Ports) -> Result<Json, InvokeError> {
        let answer = webhook(ports, &self.request_context.http.method, &self.raw_path, &self.body()).await?;
        let headers = Headers { content_type: "application/json" };
        let answer = UrlAnswer { status_code: answer.status, headers, body: answer.body.text() };
        Json::of(&answer).map_err(|error| InvokeError::Payload(error.to_string()))
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
