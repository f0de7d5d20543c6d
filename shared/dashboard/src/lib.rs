//! Pages over the ports: runs and their lives, forms that start them, schedules with their next fires, queues, deliveries
//! that have failed.
//!
//! Everything can be read without JavaScript. The pages are for browsers of this machine: bind the router to
//! 127.0.0.1. It refuses other hosts' names and other pages' forms by itself.

mod chart;
mod deliveries;
mod form;
mod guard;
mod list;
mod live;
mod overview;
mod page;
mod queues;
mod run;
mod runs;
mod schedules;
pub mod show;
mod start;
mod switch;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use dacapo::Client;

use guard::Token;
use live::Live;
use page::Dashboard;

/// The pages of an app. `place` says in every page's corner which app and stage it shows.
///
/// Uses the paths `/`, `/overview`, `/run/…`, `/start`, `/schedules`, `/queues`, `/deliveries…`, `/delivery` and `/assets/…`.
pub fn router(client: Client, place: &str) -> Router {
    let dashboard = Dashboard { client, place: place.to_owned(), token: Token::random() };
    let pages = Router::new()
        .route("/", get(runs::show))
        .route("/run/{id}", get(run::show))
        .route("/run/{id}/abort", post(run::actions::abort))
        .route("/run/{id}/pause", post(run::actions::pause))
        .route("/run/{id}/resume", post(run::actions::resume))
        .route("/run/{id}/reschedule", post(run::actions::reschedule))
        .route("/run/{id}/complete", post(run::actions::complete))
        .route("/overview", get(overview::show))
        .route("/start", get(start::show).post(start::start))
        .route("/schedules", get(schedules::show).post(schedules::pause))
        .route("/queues", get(queues::show).post(queues::pause))
        .route("/deliveries", get(deliveries::show))
        .route("/deliveries/redrive", post(deliveries::actions::redrives_all))
        .route("/delivery", get(deliveries::one::show).post(deliveries::actions::act))
        .route("/assets/style.css", get(page::style))
        .route("/assets/live.js", get(page::live))
        .route("/assets/forms.js", get(page::forms))
        .fallback(page::missing)
        .layer(DefaultBodyLimit::max(page::FORM_BYTES))
        .with_state(dashboard);
    let live = Live::of(pages.clone());
    pages.layer(from_fn_with_state(live, live::answer)).layer(from_fn(guard::check))
}
