//! The list of runs, newest first.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use dacapo::{Id, ListFilter, Listed};
use dacapo_domain::{RunView, State as RunState};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::{
    page::{Dashboard, Frame, PageError},
    run::parts,
    show::{ago, plain, shorten},
};

const PAGE: usize = 50;

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
    #[serde(default, skip_serializing_if = "String::is_empty")]
    cursor: String,
}

/// `GET /`
pub async fn show(State(dashboard): State<Dashboard>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = asked.map_err(|error| PageError::unreadable(error.status(), &error.body_text()));
    let page = async { page(&dashboard, &asked?.0).await };
    match page.await {
        Ok(page) => page.into_response(),
        Err(error) => error.page(&dashboard),
    }
}

async fn page(dashboard: &Dashboard, asked: &Asked) -> Result<Markup, PageError> {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let state = given(&asked.state).map(|state| state.parse::<RunState>()).transpose();
    let state = state.map_err(|error| PageError::not_found(format!("Failed to list runs: {error}.")))?;
    let parent = given(&asked.parent).map(|id| id.parse::<Id>()).transpose();
    let parent = parent.map_err(|error| PageError::not_found(format!("Failed to list runs: {error}.")))?;
    let filter = ListFilter {
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
    let listed = dashboard.client.list(filter).await?;

    let content = html! {
        h1 { "Runs" }
        div class="filter" {
            nav class="chips" aria-label="States" {
                (chip(asked, "", "all"))
                @for state in RunState::ALL { (chip(asked, state.name(), state.name())) }
            }
            form method="get" action="/" {
                @for (name, value) in [("state", &asked.state), ("parent", &asked.parent), ("schedule", &asked.schedule)] {
                    @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
                }
                select name="task" aria-label="Task" {
                    option value="" { "all tasks" }
                    @for task in tasks { option value=(task) selected[task == asked.task] { (plain(task)) } }
                }
                input type="text" name="tag" value=(asked.tag) placeholder="tag" aria-label="Tag" maxlength="128";
                button { "Show" }
            }
            @for (what, value) in [("run", &asked.parent), ("schedule", &asked.schedule)] {
                @if !value.is_empty() {
                    p { "Started by " (what) " " (plain(value)) ". " a href="/" { "All runs" } }
                }
            }
        }
        (table(&listed, asked, dashboard.now()))
    };
    Ok(dashboard.page(&Frame { title: "Runs", at: "/", refresh: Some(3) }, &content))
}

fn table(listed: &Listed, asked: &Asked, now: Timestamp) -> Markup {
    html! {
        @for problem in &listed.unreadable { p class="notice" { "Left out: " (brief(problem)) } }
        div class="scroll" {
            @if listed.runs.is_empty() {
                p class="empty" {
                    "No runs here" @if listed.cursor.is_some() { " yet; older ones follow" } ". "
                    a href="/start" { "Start one" }
                }
            } @else {
                table {
                    thead { tr {
                        th scope="col" { "State" } th scope="col" { "Task" } th scope="col" { "Made" }
                        th scope="col" { "Took" } th scope="col" { "What it says" } th scope="col" { "Run" }
                    } }
                    tbody { @for run in &listed.runs { (row(run, now)) } }
                }
            }
        }
        nav class="pages" aria-label="Pages of the list" {
            @if !asked.cursor.is_empty() {
                a href=(address(&Asked { cursor: String::new(), ..asked.clone() })) { "Newest" }
            }
            @if let Some(cursor) = &listed.cursor {
                a href=(address(&Asked { cursor: cursor.clone(), ..asked.clone() })) rel="next" { "Older →" }
            }
        }
    }
}

fn row(run: &RunView, now: Timestamp) -> Markup {
    let id = run.id.to_string();
    html! {
        tr {
            td class="tight" { (parts::state(run.state)) }
            td { a href={ "/run/" (id) } { (plain(&run.name)) } }
            td class="tight" { (parts::moment(run.created_at, now)) }
            td class="tight" { (parts::duration(run, now)) }
            td class="wide" { (says(run, now)) }
            td class="tight" { a class="id" href={ "/run/" (id) } title=(id) { "…" (id[id.len() - 8..]) } }
        }
    }
}

/// The one thing worth saying of a run in a list: its error, when it is due, how far it is, or what it said last.
fn says(run: &RunView, now: Timestamp) -> Markup {
    html! {
        @if let Some(error) = run.error_message.as_ref().filter(|_| run.completed_at.is_none()) {
            span class="error clip" { @if let Some(code) = &run.error_code { b { (brief(code)) } " " } (brief(error)) }
        } @else if run.state == RunState::Scheduled {
            span class="soft" { "due " (ago(run.due_at, now)) }
        } @else if let Some(message) = run.message.as_ref() {
            span class="clip" { (brief(message)) }
        } @else if run.percent().is_some() {
            (parts::progress(run))
        }
    }
}

/// A text for one line of a list.
fn brief(text: &str) -> String {
    plain(&shorten(text, 500))
}

fn chip(asked: &Asked, state: &str, name: &str) -> Markup {
    let to = Asked { state: state.to_owned(), cursor: String::new(), ..asked.clone() };
    html! { a href=(address(&to)) aria-current=[(state == asked.state).then_some("true")] { (name) } }
}

fn address(asked: &Asked) -> String {
    format!("/?{}", serde_urlencoded::to_string(asked).unwrap_or_default())
}
