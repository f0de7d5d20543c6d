//! The right to speak to the engine: programs on this machine have it, pages in a browser don't.

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Lets a request pass that names this machine as its host and that no web page has sent.
///
/// A page of another site can send requests here, by its own name bound to 127.0.0.1 or straight away; the first
/// has a foreign host, the second an origin.
pub async fn guard(request: Request<Body>, next: Next) -> Response {
    match refusal(request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    }
}

fn refusal(headers: &HeaderMap) -> Option<&'static str> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_this_machine) {
        return Some("the Host header names another machine (use 127.0.0.1 or localhost)");
    }
    headers.contains_key(header::ORIGIN).then_some("web pages may not call the engine (the Origin header is set)")
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in ["127.0.0.1", "127.0.0.1:8787", "localhost:1", "[::1]:8787"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["evil.example:8787", "127.0.0.1.evil.example", "localhost.evil.example:8787", "", "127.0.0.1:x"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
