//! The guard of the engine's routes: programs of this machine may call them, no page in a browser may.

use axum::{
    body::HttpBody,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use dacapo_domain::cut;

/// Bytes that are shown of an address.
const SHOWN: usize = 200;

/// Lets a request pass that names this machine as its host and that no web page has sent.
///
/// A page of another site can send requests here, by its own name bound to 127.0.0.1 or straight away. The first has a
/// foreign host. The second has an origin, or where a browser sends none, as for a picture, says that its site is
/// another one's. What is answered can't be read, shown or guessed by such a page either.
pub async fn guard(request: Request, next: Next) -> Response {
    let asked = asked(&request);
    let mut response = match refusal(request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, format!("refused: {why}\n")).into_response(),
        None => told(&asked, next.run(request).await),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// The answer to a request for an address that nothing is at.
pub async fn nowhere(request: Request) -> Response {
    let why = "there is no such address (the command line and a client know them all)";
    (StatusCode::NOT_FOUND, format!("{}: {why}\n", asked(&request))).into_response()
}

fn asked(request: &Request) -> String {
    format!("{} {}", request.method(), cut(request.uri().path().to_owned(), SHOWN))
}

/// The same answer with a line, where the address has no such method.
fn told(asked: &str, response: Response) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED || response.body().size_hint().exact() != Some(0) {
        return response;
    }
    let why = "the address takes another method (the header Allow names it)";
    (response.status(), format!("{asked}: {why}\n")).into_response()
}

fn refusal(headers: &HeaderMap) -> Option<&'static str> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_this_machine) {
        return Some("the Host header names another machine (use 127.0.0.1 or localhost)");
    }
    if headers.contains_key(header::ORIGIN) {
        return Some("web pages may not call the engine (the Origin header is set)");
    }
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site != "none" && site != "same-origin")
        .then_some("web pages may not call the engine (the Sec-Fetch-Site header names another site)")
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

    #[test]
    fn request_that_a_browser_makes_for_another_page_is_refused() {
        let of = |fields: &[(&'static str, &'static str)]| {
            let all = fields.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
            refusal(&std::iter::once((header::HOST, HeaderValue::from_static("127.0.0.1:8787"))).chain(all).collect())
        };
        for passes in [&[][..], &[("sec-fetch-site", "none")], &[("sec-fetch-site", "same-origin")]] {
            assert_eq!(of(passes), None, "{passes:?}");
        }
        for refused in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", ""),
            ("sec-fetch-site", "anything"),
            ("origin", "http://evil.example"),
            ("origin", "null"),
        ] {
            assert!(of(&[refused]).is_some(), "{refused:?}");
        }
        assert!(refusal(&HeaderMap::new()).is_some(), "no host at all");
    }
}
