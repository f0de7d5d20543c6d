//! Admission: browsers of this machine, and for writes only our own pages.

use std::sync::Arc;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// A random text that every form carries. A page of another origin can't read it, so it can't write.
#[derive(Clone)]
pub struct Token(Arc<str>);

/// A text of 128 bits of the operating system's randomness.
///
/// # Panics
/// If the operating system has none: then no page can be told from another one's.
#[expect(clippy::expect_used, reason = "no page may be served without it")]
pub fn random_text() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    format!("{:032x}", u128::from_ne_bytes(bytes))
}

impl Token {
    /// A new one.
    pub fn random() -> Self {
        Self(random_text().into())
    }

    /// The text that forms carry.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Is true where a form carries it. Compared without an early end, so that time tells nothing.
    pub fn is(&self, given: &str) -> bool {
        let (own, given) = (self.0.as_bytes(), given.as_bytes());
        own.len() == given.len() && own.iter().zip(given).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

/// Lets a request pass whose `Host` is this machine and that no other site's page has sent; a link there may lead here.
///
/// The first stops a name that was made to point at 127.0.0.1, the second a form or a picture on another site's page.
pub async fn check(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let mut response = match may_enter(&method, request.headers()) {
        Ok(()) => match next.run(request).await {
            other if other.status() == StatusCode::METHOD_NOT_ALLOWED => {
                let why = format!("this page takes no {method} (the header Allow names what it takes)\n");
                (StatusCode::METHOD_NOT_ALLOWED, why).into_response()
            }
            response => response,
        },
        Err(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in &HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The headers of every page. The pages need nothing from elsewhere, and no other page may frame them.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

fn may_enter(method: &Method, headers: &HeaderMap) -> Result<(), &'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or_default();
    if !is_this_machine(host) {
        return Err("refused: the Host header doesn't name this machine (open the page at http://127.0.0.1:PORT/)");
    }
    let reads = method == Method::GET || method == Method::HEAD;
    let own = format!("http://{host}");
    let from_elsewhere = headers.get("origin").is_some_and(|origin| *origin != *own)
        || headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && !(reads && site == "none"));
    // A link on another page, followed: nothing but the reader's own window gets to see what it leads to.
    let is_followed = reads && text("sec-fetch-mode") == Some("navigate") && text("sec-fetch-dest") == Some("document");
    if is_followed {
        return Ok(());
    }
    match from_elsewhere {
        true => Err("refused: the request comes from another page (use the dashboard's own forms)"),
        false => Ok(()),
    }
}

/// Is true where a `Host` header names this machine, on whatever port.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}
