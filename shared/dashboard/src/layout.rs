//! The frame around every page, its style and its one script.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use crate::dashboard::Dashboard;

/// The facts of a page that its frame shows.
pub struct Frame<'a> {
    /// The page's title.
    pub title: &'a str,
    /// The path of the entry in the navigation that it belongs to.
    pub at: &'a str,
    /// Seconds after which it is worth another look.
    pub refresh: Option<u32>,
}

const PLACES: [(&str, &str); 3] = [("/", "Runs"), ("/start", "Start"), ("/schedules", "Schedules")];

impl Dashboard {
    /// A whole page.
    pub fn page(&self, frame: &Frame<'_>, content: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (frame.title) " · Dacapo" }
                    link rel="stylesheet" href="/assets/style.css";
                    link rel="icon" href="data:,";
                    @if let Some(seconds) = frame.refresh {
                        noscript { meta http-equiv="refresh" content=(seconds); }
                        script src="/assets/live.js" data-seconds=(seconds) defer {}
                    }
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
                        }
                    }
                    main { (content) }
                }
            }
        }
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
