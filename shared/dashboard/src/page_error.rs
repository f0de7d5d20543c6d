//! The page in place of one that can't be made.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use dacapo::{Error, ErrorKind};
use maud::html;

use crate::{dashboard::Dashboard, layout::Frame};

/// A page that can't be made: the status and one line that says why.
pub struct PageError {
    status: StatusCode,
    why: String,
}

impl PageError {
    /// Something that isn't there.
    pub fn not_found(why: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, why: why.into() }
    }

    /// A form without the token of this process.
    pub fn stale() -> Self {
        let why = "the form is from before the dashboard was started (go back, reload the page, and send it again)";
        Self { status: StatusCode::FORBIDDEN, why: why.to_owned() }
    }

    /// The whole page.
    pub fn page(&self, dashboard: &Dashboard) -> Response {
        let content = html! {
            h1 { "That didn't work" }
            p class="notice" role="alert" { (self.why) }
            p { a href="/" { "All runs" } }
        };
        let frame = Frame { title: "That didn't work", at: "", refresh: None };
        (self.status, dashboard.page(&frame, &content)).into_response()
    }
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        Self { status: status(&error), why: error.to_string() }
    }
}

/// The status that says what went wrong.
pub fn status(error: &Error) -> StatusCode {
    match error.kind() {
        ErrorKind::Usage => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Refused => StatusCode::CONFLICT,
        ErrorKind::NoAccess => StatusCode::FORBIDDEN,
        ErrorKind::NotDeployed | ErrorKind::Unreachable | ErrorKind::Transient => StatusCode::SERVICE_UNAVAILABLE,
    }
}
