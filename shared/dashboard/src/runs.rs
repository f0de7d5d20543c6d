//! The list of runs, newest first.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use dacapo::{Id, ListFilter, Listed};
use dacapo_domain::{RunView, State as RunState, When};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::{
    list::{self, Counted, PAGE, address, brief, given},
    page::{Dashboard, Frame, Page, PageError},
    run::parts,
    show::plain,
};

/// The query of the page's address.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Asked {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    task: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    tag: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    parent: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    schedule: String,
    /// A moment, or how long ago; a moment in the addresses of the pages that follow.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    since: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    cursor: String,
}

/// `GET /`
pub async fn show(State(dashboard): State<Dashboard>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    dashboard.respond(async { page(&dashboard, &asked?.0).await }).await
}

async fn page(dashboard: &Dashboard, asked: &Asked) -> Result<Page, PageError> {
    let state = given(&asked.state).map(|state| state.parse::<RunState>()).transpose();
    let state = state.map_err(|error| PageError::not_found(format!("Failed to list runs: {error}.")))?;
    let parent = given(&asked.parent).map(|id| id.parse::<Id>()).transpose();
    let parent = parent.map_err(|error| PageError::not_found(format!("Failed to list runs: {error}.")))?;
    let since = given(&asked.since).map(|text| When::from(text).ago(dashboard.now())).transpose();
    let since = since.map_err(|error| PageError::refused(format!("Failed to {error}.")))?;
    let filter = ListFilter {
        since,
        task: given(&asked.task),
        state,
        tag: given(&asked.tag),
        parent,
        schedule: given(&asked.schedule),
        limit: PAGE,
        cursor: given(&asked.cursor),
        ..ListFilter::default()
    };
    let manifest = dashboard.client.manifest().await?;
    let mut tasks: Vec<&str> = manifest.tasks().map(|(_, task)| task.name.as_str()).collect();
    tasks.sort_unstable();
    let newest = ListFilter { state: None, cursor: None, limit: Counted::MOST, ..filter.clone() };
    let (listed, newest) = (dashboard.client.list(filter).await?, dashboard.client.list(newest).await?);
    let states = newest.runs.iter().map(|run| run.state.name()).collect();
    let counted = Counted { states, has_more: newest.cursor.is_some() };
    let state = |name: &'static str| to(asked, |it| (it.state, it.cursor) = (name.to_owned(), String::new()));
    let content = html! {
        h1 { "Runs" }
        div class="filter" {
            (counted.choices(&RunState::ALL.map(RunState::name), &asked.state, state))
            form method="get" action="/" {
                @for (name, value) in [("state", &asked.state), ("parent", &asked.parent), ("schedule", &asked.schedule)] {
                    @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
                }
                (list::select("task", "Task", "all tasks", &tasks, &asked.task))
                input type="text" name="since" value=(asked.since) placeholder="since: 2 hours" aria-label="Since" maxlength="64";
                input type="text" name="tag" value=(asked.tag) placeholder="tag" aria-label="Tag" maxlength="128";
                button { "Show" }
            }
            @for (what, value) in [("run", &asked.parent), ("schedule", &asked.schedule)] {
                @if !value.is_empty() {
                    p { "Started by " (what) " " (plain(value)) ". " a href="/" { "All runs" } }
                }
            }
        }
        (table(&listed, asked, since, dashboard.now()))
    };
    Ok(dashboard.page(&Frame { title: "Runs", at: "/", refresh: Some(3) }, &content))
}

fn table(listed: &Listed, asked: &Asked, since: Option<Timestamp>, now: Timestamp) -> Markup {
    // A cursor is for the same bound, wherever "2 hours ago" is by then.
    let asked = &Asked { since: since.map(|at| at.to_string()).unwrap_or_default(), ..asked.clone() };
    let rows: Vec<Markup> = listed.runs.iter().map(|run| row(run, now)).collect();
    let newest = (!asked.cursor.is_empty()).then(|| to(asked, |it| it.cursor.clear()));
    let older = listed.cursor.as_ref().map(|cursor| to(asked, |it| it.cursor.clone_from(cursor)));
    let none = html! {
        "No runs here" @if older.is_some() { " yet; older ones follow" } ". " a href="/start" { "Start one" }
    };
    html! {
        (list::left_out(&listed.unreadable))
        (list::table(&["State", "Task", "Made", "Took", "What it says", "Run"], &rows, &none))
        (list::pages(newest.as_deref(), older.as_deref()))
    }
}

fn row(run: &RunView, now: Timestamp) -> Markup {
    let id = run.id.to_string();
    html! {
        tr id={ "run-" (id) } {
            td class="tight" data-label="State" { (parts::state(run.state)) }
            td data-label="Task" { a href={ "/run/" (id) } { (plain(&run.name)) } }
            td class="tight" data-label="Made" { (parts::moment(run.created_at, now)) }
            td class="tight" data-label="Took" { (parts::duration(run, now)) }
            td class="wide" data-label="Says" { (says(run, now)) }
            td class="tight" data-label="Run" { a class="id" href={ "/run/" (id) } { (id) } }
        }
    }
}

/// The one thing worth saying of a run in a list: its error, when it is due, how far it is, or what it said last.
fn says(run: &RunView, now: Timestamp) -> Markup {
    html! {
        @if let Some(error) = run.error_message.as_ref().filter(|_| run.completed_at.is_none()) {
            span class="error clip" { @if let Some(code) = &run.error_code { b { (brief(code)) } " " } (brief(error)) }
        } @else if run.state == RunState::Scheduled {
            span class="soft" { "due " (parts::moment(run.due_at, now)) }
        } @else if let Some(message) = run.message.as_ref() {
            span class="clip" { (brief(message)) }
        } @else if run.percent().is_some() {
            (parts::progress(run))
        }
    }
}

/// The address of the list that is asked for in another way.
fn to(asked: &Asked, change: impl FnOnce(&mut Asked)) -> String {
    let mut asked = asked.clone();
    change(&mut asked);
    address("/", &asked)
}
