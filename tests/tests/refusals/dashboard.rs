//! Requests to every address of the dashboard.

use axum::{Router, body::Body, http::Request};
use dacapo_core::port::Ports;
use tower::ServiceExt;

use crate::both::Both;

/// Requests that no page answers well: a method, a path, and a form's fields but the token.
const REQUESTS: [(&str, &str, &str); 48] = [
    ("GET", "/nothing", ""),
    ("GET", "/run/", ""),
    ("GET", "/run/17", ""),
    ("GET", "/run/%ff", ""),
    ("GET", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3", ""),
    ("GET", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3?before=x", ""),
    ("GET", "/?task=reports", ""),
    ("GET", "/?state=done", ""),
    ("GET", "/?since=tomorrow", ""),
    ("GET", "/?cursor=abc", ""),
    ("GET", "/?task=a&task=b", ""),
    ("GET", "/start?task=reports", ""),
    ("GET", "/start?event=task.completed:a", ""),
    ("GET", "/start?replay=17", ""),
    ("GET", "/start?task=report&from=17", ""),
    ("GET", "/deliveries?cursor=abc", ""),
    ("GET", "/deliveries?state=lost", ""),
    ("GET", "/delivery", ""),
    ("GET", "/delivery?id=1", ""),
    ("GET", "/start?task=%ff", ""),
    ("POST", "/", ""),
    ("POST", "/overview", ""),
    ("PUT", "/start", ""),
    ("DELETE", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3", ""),
    ("GET", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/abort", ""),
    ("POST", "/assets/style.css", ""),
    ("POST", "/start", "task=reports&body=1"),
    ("POST", "/start", "task=hidden&body=1"),
    ("POST", "/start", "task=report&body={oops"),
    ("POST", "/start", "task=report&body=1e999"),
    ("POST", "/start", "task=report&body=%22%5Cud83d%22"),
    ("POST", "/start", "task=report&body=1&when=tomorrow"),
    ("POST", "/start", "task=report&body=1&when=1+day+2+hours"),
    ("POST", "/start", "event=task.completed:a&body=1"),
    ("POST", "/start", "task=report&task=report"),
    ("POST", "/start", "replay=17&body=1"),
    ("POST", "/run/17/abort", "message=x"),
    ("POST", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/abort", "message=x"),
    ("POST", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/pause", ""),
    ("POST", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/resume", ""),
    ("POST", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/reschedule", "when=tomorrow"),
    ("POST", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/reschedule", "when=1+day"),
    ("POST", "/run/01KDVJ29Q0Q0B9FME0N1VT25N3/complete", "text=abc&value=1"),
    ("POST", "/schedules", "name=nightly&paused=true"),
    ("POST", "/queues", "name=lables&paused=true"),
    ("POST", "/delivery", "id=1&act=redrive"),
    ("POST", "/delivery", "id=1&act=explode"),
    ("POST", "/deliveries/redrive", "key=k&event=order.payed"),
];

/// Headers of a request that no browser of this machine sends from our own pages, and one whose token is another's.
const HEADERS: [(&str, &str, Fields); 6] = [
    ("GET", "/", &[("host", "evil.example")]),
    ("GET", "/", &[("host", "127.0.0.1.evil.example")]),
    ("GET", "/", &[("origin", "http://evil.example")]),
    ("GET", "/", &[("sec-fetch-site", "cross-site")]),
    ("POST", "/start", &[("origin", "null")]),
    ("POST", "/start", &[("content-type", "text/plain")]),
];

/// Headers by their names.
type Fields = &'static [(&'static str, &'static str)];

const OWN: [(&str, &str); 4] = [
    ("host", "127.0.0.1:8788"),
    ("origin", "http://127.0.0.1:8788"),
    ("sec-fetch-site", "same-origin"),
    ("content-type", "application/x-www-form-urlencoded"),
];

/// The status of an answer, and its text or what its page says went wrong.
async fn answer(pages: &Router, method: &str, path: &str, headers: &[(&str, &str)], form: String) -> String {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in OWN.iter().filter(|(own, _)| headers.iter().all(|(name, _)| name != own)).chain(headers) {
        request = request.header(*name, *value);
    }
    let response = pages.clone().oneshot(request.body(Body::from(form)).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), 10_000_000).await.unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let said = match text.split_once("<p class=\"notice\"") {
        Some((_, rest)) => rest.split_once('>').unwrap().1.split(['<', '\n']).next().unwrap_or_default(),
        None if text.starts_with('<') => "a page without a word of what is wrong",
        None => &text,
    };
    format!("{status} {}", said.trim().replace("&quot;", "\""))
}

fn pages(ports: Ports) -> Router {
    dacapo_dashboard::router(dacapo::Client::new(ports), "test")
}

async fn token(pages: &Router) -> String {
    let request = Request::get("/start?task=report").header("host", "127.0.0.1:8788").body(Body::empty()).unwrap();
    let body = pages.clone().oneshot(request).await.unwrap().into_body();
    let text = String::from_utf8(axum::body::to_bytes(body, 1_000_000).await.unwrap().to_vec()).unwrap();
    text.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn request_that_no_page_answers_well_is_refused_over_both_engines_alike() {
    let mut both = Both::new().await;
    for (method, path, fields) in REQUESTS {
        both.refuse_at_ports(format!("{method} {path} {fields}").trim_end(), async |ports| {
            let pages = pages(ports);
            let form = format!("{fields}&token={}", token(&pages).await);
            answer(&pages, method, path, &[], if method == "GET" { String::new() } else { form }).await
        })
        .await;
    }
    for (method, path, headers) in HEADERS {
        both.refuse_at_ports(&format!("{method} {path} with {headers:?}"), async |ports| {
            answer(&pages(ports), method, path, headers, String::new()).await
        })
        .await;
    }
    both.refuse_at_ports("POST /start with another token", async |ports| {
        answer(&pages(ports), "POST", "/start", &[], "task=report&body=1&token=x".to_owned()).await
    })
    .await;
    let large = format!("task=report&body={}", "x".repeat(5_000_000));
    both.refuse_at_ports("POST /start with 5,000,000 bytes", async |ports| {
        answer(&pages(ports), "POST", "/start", &[], large.clone()).await
    })
    .await;
    both.are("dashboard");
}
