//! The parts of every page: its state, its frame, and the page in place of one that can't be made.

use axum::{
    Extension,
    extract::{
        State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use dacapo::{Client, Error, ErrorKind};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    guard::Token,
    list::address,
    show::{plain, shorten},
};

/// Bytes of a form, at most: a body of the longest that a run may have, each byte of it written as three.
pub const FORM_BYTES: usize = 4 * 1024 * 1024;

/// The beginning and the end of a page's content. No text of users has them: it is escaped.
pub const MAIN: (&str, &str) = ("<main>", "</main>");

/// The address of the dead letters.
pub const DEAD_LETTERS: &str = "/deliveries?state=dropped";

const PLACES: [(&str, &str); 7] = [
    ("/", "Runs"),
    ("/overview", "Overview"),
    ("/start", "Start"),
    ("/schedules", "Schedules"),
    ("/queues", "Queues"),
    ("/deliveries", "Deliveries"),
    (DEAD_LETTERS, "Dead letters"),
];

/// The client of the app, its name for the corner of a page, and the token that forms carry.
#[derive(Clone)]
pub struct Dashboard {
    pub client: Client,
    pub place: String,
    pub token: Token,
}

/// The facts of a page that its frame shows.
pub struct Frame<'a> {
    /// The page's title.
    pub title: &'a str,
    /// The path of the entry in the navigation that it belongs to.
    pub at: &'a str,
    /// Seconds after which it is worth another look.
    pub refresh: Option<u32>,
}

/// A whole page.
pub struct Page {
    markup: Markup,
    refresh: Option<u32>,
}

/// The seconds after which the page of a response is worth another look, where it is.
#[derive(Clone, Copy)]
pub struct Refresh(pub Option<u32>);

/// A page that can't be made: the status and one line that says why.
pub struct PageError {
    status: StatusCode,
    why: String,
}

impl Dashboard {
    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.client.ports().clock.now()
    }

    /// The answer of a page, or of the one in place of it.
    pub async fn respond(&self, page: impl Future<Output = Result<Page, PageError>>) -> Response {
        page.await.map_or_else(|error| error.page(self), IntoResponse::into_response)
    }

    /// A whole page.
    pub fn page(&self, frame: &Frame<'_>, content: &Markup) -> Page {
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (plain(frame.title)) " · Dacapo" }
                    link rel="stylesheet" href="/assets/style.css";
                    link rel="icon" href="data:,";
                    @if let Some(seconds) = frame.refresh { noscript { meta http-equiv="refresh" content=(seconds); } }
                    script src="/assets/live.js" data-seconds=[frame.refresh] data-now=(self.now()) defer {}
                    script src="/assets/forms.js" defer {}
                }
                body {
                    header class="bar" {
                        div {
                            a class="brand" href="/" { "Dacapo" }
                            nav aria-label="Pages" {
                                @for (path, name) in PLACES {
                                    a href=(path) aria-current=[(path == frame.at).then_some("page")] { (name) }
                                }
                            }
                            span class="place" { (self.place) }
                            span id="connection" class="error" role="status" {}
                        }
                    }
                    (PreEscaped(MAIN.0)) (content) (PreEscaped(MAIN.1))
                }
            }
        };
        Page { markup, refresh: frame.refresh }
    }
}

impl PageError {
    /// Something that isn't there.
    pub fn not_found(why: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, why: why.into() }
    }

    /// A field that can't be used.
    pub fn refused(why: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, why: why.into() }
    }

    /// A request that can't be read, as axum tells it.
    fn unreadable(status: StatusCode, why: &str) -> Self {
        let why = match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                format!("the form is too large (allowed: {FORM_BYTES} bytes; `dacapo run --body @FILE` takes a file)")
            }
            _ => format!("the request can't be read: {} (go back, and send the page's own form)", shorten(why, 200)),
        };
        Self { status, why }
    }

    /// Work that ended without an answer.
    pub fn lost(why: &impl std::fmt::Display) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, why: format!("the dashboard failed: {why} (try again)") }
    }

    /// The whole page.
    pub fn page(&self, dashboard: &Dashboard) -> Response {
        let content = html! {
            h1 { "That didn't work" }
            p class="notice" role="alert" { (plain(&self.why)) }
            p { a href="/" { "All runs" } }
        };
        let frame = Frame { title: "That didn't work", at: "", refresh: None };
        (self.status, dashboard.page(&frame, &content)).into_response()
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (Extension(Refresh(self.refresh)), self.markup).into_response()
    }
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        Self { status: status(&error), why: error.to_string() }
    }
}

impl From<QueryRejection> for PageError {
    fn from(error: QueryRejection) -> Self {
        Self::unreadable(error.status(), &error.body_text())
    }
}

impl From<FormRejection> for PageError {
    fn from(error: FormRejection) -> Self {
        Self::unreadable(error.status(), &error.body_text())
    }
}

/// Nothing is at an address.
pub async fn missing(State(dashboard): State<Dashboard>, uri: Uri) -> Response {
    PageError::not_found(format!("There is no page {}.", shorten(uri.path(), 200))).page(&dashboard)
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

/// The style sheet.
pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("assets/style.css")).into_response()
}

/// The script that keeps a page fresh. Every page can be read without it.
pub async fn live() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("assets/live.js")).into_response()
}

/// The script that checks JSON as it is typed, and copies ids.
pub async fn forms() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("assets/forms.js")).into_response()
}

/// The address of the runs that have this in common.
pub fn runs_of(name: &str, value: &str) -> String {
    address("/", &[(name, value)])
}
