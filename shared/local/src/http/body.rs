//! Bodies, taken whole before anything is done with them: within their limit and in time.

use std::{error::Error, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::Response,
};
use http_body_util::LengthLimitError;

/// The time within which a body has come: those who send one are on this machine.
const WITHIN: Duration = Duration::from_secs(30);

/// The longest body of some routes, and their form of a refusal.
#[derive(Clone, Copy)]
pub struct Bodies {
    /// Bytes, at most.
    pub longest: usize,
    /// The answer to one that is refused, from the status and one line.
    pub refuse: fn(StatusCode, String) -> Response,
}

/// Takes the request's body, then passes it on.
pub async fn whole(State(bodies): State<Bodies>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > bodies.longest as u64) {
        return bodies.too_long(&format!("a body of {} bytes", announced.unwrap_or_default()));
    }
    match tokio::time::timeout(WITHIN, to_bytes(body, bodies.longest)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(error)) if is_too_long(&error) => bodies.too_long("a longer body"),
        Ok(Err(error)) => (bodies.refuse)(StatusCode::BAD_REQUEST, format!("the body did not come whole: {error}")),
        Err(_) => {
            let why = format!("the body did not come within {} s (send the request again)", WITHIN.as_secs());
            (bodies.refuse)(StatusCode::REQUEST_TIMEOUT, why)
        }
    }
}

impl Bodies {
    fn too_long(self, given: &str) -> Response {
        let why = format!("{given} is not taken (allowed: {} bytes; keep what is large in a file)", self.longest);
        (self.refuse)(StatusCode::PAYLOAD_TOO_LARGE, why)
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    error.source().is_some_and(|source| source.is::<LengthLimitError>())
}
