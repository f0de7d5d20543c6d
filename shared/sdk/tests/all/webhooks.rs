//! Events that the outside publishes over HTTP: signed, timely, once.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use dacapo::prelude::*;
use dacapo_core::{
    App,
    webhook::{WebhookKey, WebhookRequest, event_webhook},
};
use dacapo_test_kit::TestApp;
use jiff::Timestamp;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PAID: EventRef<u64> = EventRef::new("invoice.paid");
const BOOK: TaskRef<u64> = TaskRef::new("book");
const BODY: &[u8] = br#"{"type": "invoice.paid", "data": 7}"#;

async fn book(_: u64, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

async fn paid(invoice: u64, cx: EventContext) -> Result<(), TaskError> {
    cx.run(BOOK, invoice).await?;
    Ok(())
}

fn app() -> TestApp {
    TestApp::new().with(task(BOOK, book)).with(on(PAID, paid))
}

/// A request, signed as it should be at this time.
struct Request {
    id: String,
    timestamp: String,
    signature: String,
    body: Vec<u8>,
}

impl Request {
    fn signed(id: &str, at: Timestamp, body: &[u8]) -> Self {
        let timestamp = at.as_second().to_string();
        let signature = WebhookKey::read(SECRET).unwrap().sign(id, &timestamp, body);
        Self { id: id.to_owned(), timestamp, signature, body: body.to_vec() }
    }

    fn as_sent(&self) -> WebhookRequest<'_> {
        WebhookRequest {
            method: "POST",
            body: &self.body,
            id: Some(&self.id),
            timestamp: Some(&self.timestamp),
            signature: Some(&self.signature),
            traceparent: None,
        }
    }
}

async fn asked(app: &TestApp, request: WebhookRequest<'_>) -> (u16, String) {
    let key = WebhookKey::read(SECRET).unwrap();
    let answer = event_webhook(&App::new(app.client().ports().clone()), Some(&key), request).await.unwrap();
    (answer.status, answer.body.text().to_owned())
}

#[tokio::test]
async fn signed_request_publishes_its_event_and_the_same_again_is_handled_once() {
    let app = app();
    let request = Request::signed("msg_1", app.now(), BODY);
    let (status, first) = asked(&app, request.as_sent()).await;
    assert_eq!(status, 202, "{first}");
    assert!(first.ends_with(r#","subscribers":1}"#), "{first}");
    app.advance(minutes(1)).await;
    let again = Request::signed("msg_1", app.now(), BODY);
    assert_eq!(asked(&app, again.as_sent()).await, (202, first));
    app.run_until_idle().await;
    assert_eq!(app.runs_of(BOOK).len(), 1);
}

#[tokio::test]
async fn request_that_is_not_signed_as_it_should_be_is_refused_and_told_nothing_of_the_signature() {
    let app = app();
    let good = Request::signed("msg_1", app.now(), BODY);
    let refused = |error: &str| (401, format!(r#"{{"error":"{error}"}}"#));
    let wrong = "the signature doesn't fit";
    for (request, error) in [
        (WebhookRequest { id: None, ..good.as_sent() }, "the header webhook-id is missing"),
        (WebhookRequest { timestamp: None, ..good.as_sent() }, "the header webhook-timestamp is missing"),
        (WebhookRequest { signature: None, ..good.as_sent() }, "the header webhook-signature is missing"),
        (WebhookRequest { id: Some("msg_2"), ..good.as_sent() }, wrong),
        (WebhookRequest { body: b"{}", ..good.as_sent() }, wrong),
        (WebhookRequest { timestamp: Some("1"), ..good.as_sent() }, wrong),
        (WebhookRequest { signature: Some("v1,AAAA"), ..good.as_sent() }, wrong),
        (WebhookRequest { signature: Some(""), ..good.as_sent() }, wrong),
    ] {
        assert_eq!(asked(&app, request).await, refused(error));
    }
    let key = WebhookKey::read("another-secret-that-has-24-bytes").unwrap();
    let other =
        Request { signature: key.sign("msg_1", &good.timestamp, BODY), ..Request::signed("msg_1", app.now(), BODY) };
    assert_eq!(asked(&app, other.as_sent()).await, refused(wrong));
    app.run_until_idle().await;
    assert_eq!(app.runs_of(BOOK).len(), 0);
}

#[tokio::test]
async fn request_of_another_time_is_refused_with_how_far_it_is_from_now() {
    let app = app();
    for (at, apart) in [(app.now() - seconds(301), 301), (app.now() + seconds(301), 301)] {
        let error = format!(r#"{{"error":"webhook-timestamp is {apart} s from now (allowed: 300)"}}"#);
        assert_eq!(asked(&app, Request::signed("msg_1", at, BODY).as_sent()).await, (401, error));
    }
    let timestamp = "99999999999999999999".to_owned();
    let signature = WebhookKey::read(SECRET).unwrap().sign("msg_1", &timestamp, BODY);
    let beyond = Request { timestamp, signature, ..Request::signed("msg_1", app.now(), BODY) };
    let error = r#"{"error":"webhook-timestamp is no time in Unix seconds"}"#;
    assert_eq!(asked(&app, beyond.as_sent()).await, (401, error.to_owned()));
    assert_eq!(asked(&app, Request::signed("msg_1", app.now() - seconds(300), BODY).as_sent()).await.0, 202);
}

#[tokio::test]
async fn signed_request_that_is_no_event_is_refused_with_the_reason() {
    let app = app();
    for (body, status, said) in [
        (&b"oops"[..], 400, "the body can't be used: "),
        (b"[]", 400, "the body can't be used: "),
        (br#"{"data": 7}"#, 400, "missing field `type`"),
        (br#"{"type": "task.failed"}"#, 400, "task."),
        (br#"{"type": ""}"#, 400, "the body can't be used: "),
        (br#"{"type": "a", "data": 1e400}"#, 400, "the body can't be used: "),
    ] {
        let answer = asked(&app, Request::signed("msg_1", app.now(), body).as_sent()).await;
        assert!(answer.0 == status && answer.1.contains(said), "{answer:?}");
    }
    let large = Request::signed("msg_1", app.now(), &vec![b' '; 1_048_577]);
    let error = r#"{"error":"the event has 1048577 bytes (allowed: 1048576)"}"#;
    assert_eq!(asked(&app, large.as_sent()).await, (413, error.to_owned()));
    let good = Request::signed("msg_1", app.now(), BODY);
    assert_eq!(asked(&app, WebhookRequest { method: "GET", ..good.as_sent() }).await.0, 405);
    let long = Request::signed(&"x".repeat(257), app.now(), BODY);
    assert_eq!(asked(&app, long.as_sent()).await.0, 400);
    let app_without = App::new(app.client().ports().clone());
    assert_eq!(event_webhook(&app_without, None, good.as_sent()).await.unwrap().status, 404);
}
