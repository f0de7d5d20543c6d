//! Direct invocations, the wait loop's payloads, and the addresses of an app for the outside.

use dacapo::{Definition, Json, prelude::*};
use dacapo_core::{
    App,
    conductor::Conductor,
    port::Ports,
    runner::Runner,
    webhook::{WebhookKey, WebhookRequest, event_webhook, webhook},
};
use dacapo_domain::{limits, minutes};

use crate::both::{Both, PAID, REPORT, echo, heard, json};

/// Payloads of Dacapo's own that can't be read, or are another's.
const PAYLOADS: [(&str, &str); 14] = [
    ("loop/1 that is a number", r#"{"loop/1": 5}"#),
    ("loop/2 without a call", r#"{"loop/2": {}}"#),
    ("loop/2 without retries", r#"{"loop/2": {"call": {}}}"#),
    ("loop/1 of no run", r#"{"loop/1": {"run": "17"}}"#),
    (
        "loop/1 with round -1",
        r#"{"loop/1": {"run": "01KDVJ29Q0Q0B9FME0N1VT25N3", "function": "report", "generation": 1, "round": -1}}"#,
    ),
    ("crash/1 without a call", r#"{"crash/1": {"cause": "x"}}"#),
    ("start/1 without a task", r#"{"start/1": {"execution": "x", "started": "2026-01-01T00:00:00Z"}}"#),
    ("start/1 of no time", r#"{"start/1": {"task": "report", "execution": "x", "started": "noon"}}"#),
    ("start/1 of no such task", START_GONE),
    ("start/1 of a private task", START_HIDDEN),
    ("start/1 with a body of 1e999", START_HUGE),
    ("sweep/1 that is a number", r#"{"sweep/1": 1}"#),
    ("deployed/1 that is null", r#"{"deployed/1": null}"#),
    ("deployed/1 where no manifest is carried", r#"{"deployed/1": {}}"#),
];
const START_GONE: &str =
    r#"{"start/1": {"task": "reports", "body": 1, "execution": "x", "started": "2026-01-01T00:00:00Z"}}"#;
const START_HIDDEN: &str =
    r#"{"start/1": {"task": "hidden", "body": 1, "execution": "x", "started": "2026-01-01T00:00:00Z"}}"#;
const START_HUGE: &str =
    r#"{"start/1": {"task": "report", "body": 1e999, "execution": "x", "started": "2026-01-01T00:00:00Z"}}"#;

fn refusal(answer: Result<Json, impl ToString>) -> String {
    answer.map_or_else(|error| error.to_string(), |done| panic!("it is accepted: {}", done.text()))
}

#[tokio::test]
async fn payload_that_can_t_be_used_is_refused_by_both_engines_alike() {
    let mut both = Both::new().await;
    for (given, payload) in PAYLOADS {
        both.refuse_at_ports(&format!("conductor: {given}"), async |ports: Ports| {
            refusal(Conductor::new(ports, None).invoke(json(payload)).await)
        })
        .await;
        both.refuse_at_ports(&format!("a task: {given}"), async |ports: Ports| {
            let runner = Runner::new(Definition::of(task(REPORT, echo)).handlers, ports.clone(), "report");
            refusal(runner.invoke(json(payload), ports.clock.now() + minutes(1)).await)
        })
        .await;
    }
    let long = format!("\"{}\"", "x".repeat(limits::MESSAGE_BYTES));
    for (given, body) in [("a body of 1e999", "1e999"), ("half a surrogate pair", r#""\ud83d""#), ("1 MiB", &long)] {
        both.refuse_at_ports(&format!("a task: {given}"), async |ports: Ports| {
            let runner = Runner::new(Definition::of(task(REPORT, echo)).handlers, ports.clone(), "report");
            refusal(runner.invoke(json(body), ports.clock.now() + minutes(1)).await)
        })
        .await;
    }
    for (given, payload) in [("null", "null"), ("any JSON", r#"{"a": 1}"#)] {
        both.refuse_at_ports(&format!("conductor: {given}"), async |ports: Ports| {
            refusal(Conductor::new(ports, None).invoke(json(payload)).await)
        })
        .await;
        both.refuse_at_ports(&format!("event handlers: {given}"), async |ports: Ports| {
            let runner = Runner::new(Definition::of(on(PAID, heard)).handlers, ports.clone(), "events-1");
            refusal(runner.invoke(json(payload), ports.clock.now() + minutes(1)).await)
        })
        .await;
    }
    both.are("payloads");
}

#[tokio::test]
async fn request_to_an_address_for_the_outside_is_refused_by_both_engines_alike() {
    let mut both = Both::new().await;
    let unknown = format!("/token/{}", "A".repeat(64));
    for (method, path, body) in [
        ("POST", "/token/", "1"),
        ("POST", "/token/abc", "1"),
        ("POST", "/elsewhere", "1"),
        ("POST", &unknown, "1"),
        ("GET", &unknown, ""),
    ] {
        both.refuse_at_ports(&format!("{method} {path} {body}"), async |ports: Ports| {
            let answer = webhook(&ports, method, path, body.as_bytes()).await.unwrap();
            format!("{} {}", answer.status, answer.body.text())
        })
        .await;
    }
    let key = WebhookKey::read("a secret of more than 24 bytes".replace(' ', "-").as_str()).unwrap();
    let all = WebhookRequest {
        method: "POST",
        body: b"{}",
        id: Some("msg_1"),
        timestamp: Some("1"),
        signature: Some("v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
        traceparent: None,
    };
    let long = vec![b' '; limits::MESSAGE_BYTES + 1];
    let requests = [
        ("no key", None, all),
        ("GET", Some(&key), WebhookRequest { method: "GET", ..all }),
        ("no id", Some(&key), WebhookRequest { id: None, ..all }),
        ("no timestamp", Some(&key), WebhookRequest { timestamp: None, ..all }),
        ("no signature", Some(&key), WebhookRequest { signature: None, ..all }),
        ("another's signature", Some(&key), all),
        ("1,048,577 bytes", Some(&key), WebhookRequest { body: &long, ..all }),
    ];
    for (given, key, request) in requests {
        both.refuse_at_ports(&format!("POST /event with {given}"), async |ports: Ports| {
            let answer = event_webhook(&App::new(ports), key, request).await.unwrap();
            format!("{} {}", answer.status, answer.body.text())
        })
        .await;
    }
    both.are("webhooks");
}
