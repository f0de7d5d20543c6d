//! The form that starts a task.

use std::time::Duration;

use axum::{
    Form,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use dacapo_domain::{Id, Json, Manifest, TaskEntry, When};
use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    guard::random_text,
    page::{Dashboard, Frame, PageError, again, finish, status},
    run,
    show::{plain, pretty, took},
};

/// The time within which a form that is sent again starts nothing.
pub const SENT_AGAIN: Duration = Duration::from_secs(86_400);

/// Which form is asked for.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    task: String,
    /// The run whose body fills the form.
    #[serde(default)]
    from: String,
}

/// The form as it is sent.
#[derive(Clone, Default, Deserialize)]
pub struct Filled {
    #[serde(default)]
    token: String,
    /// The run's idempotency key, new with each form: one that is sent twice starts once.
    #[serde(default)]
    key: String,
    #[serde(default)]
    task: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    when: String,
}

/// `GET /start`
pub async fn show(State(dashboard): State<Dashboard>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = asked.map_err(|error| PageError::unreadable(error.status(), &error.body_text()));
    let page = async { page(&dashboard, &asked?.0).await };
    match page.await {
        Ok(page) => page.into_response(),
        Err(error) => error.page(&dashboard),
    }
}

async fn page(dashboard: &Dashboard, asked: &Asked) -> Result<Markup, PageError> {
    let manifest = dashboard.client.manifest().await?;
    if asked.task.is_empty() {
        return Ok(dashboard.page(&Frame { title: "Start", at: "/start", refresh: None }, &choice(&manifest)));
    }
    let body = match asked.from.as_str() {
        "" => None,
        id => dashboard.client.state(run::parse(id)?).await?.body,
    };
    let body = body.as_ref().map_or_else(|| "{}".to_owned(), pretty);
    let filled = Filled { key: random_text(), task: asked.task.clone(), body, ..Filled::default() };
    Ok(form_page(dashboard, &manifest, &filled, None))
}

/// `POST /start`
pub async fn start(State(dashboard): State<Dashboard>, sent: Result<Form<Filled>, FormRejection>) -> Response {
    let filled = match sent {
        Ok(Form(filled)) => filled,
        Err(error) => return PageError::unreadable(error.status(), &error.body_text()).page(&dashboard),
    };
    if !dashboard.token.is(&filled.token) {
        return again(&dashboard, &form(&dashboard, &filled));
    }
    let (here, asked) = (dashboard.clone(), filled.clone());
    let begun = finish(async move { Ok(begin(&here, &asked).await) }).await;
    let (status, why) = match begun {
        Ok(Ok(id)) => return Redirect::to(&format!("/run/{id}")).into_response(),
        Ok(Err(refused)) => refused,
        Err(lost) => return lost.page(&dashboard),
    };
    match dashboard.client.manifest().await {
        Ok(manifest) => (status, form_page(&dashboard, &manifest, &filled, Some(&why))).into_response(),
        Err(error) => PageError::from(error).page(&dashboard),
    }
}

async fn begin(dashboard: &Dashboard, filled: &Filled) -> Result<Id, (StatusCode, String)> {
    let text = if filled.body.trim().is_empty() { "{}" } else { filled.body.trim() };
    let body = Json::from_text(text)
        .map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, format!("Failed to read the body as JSON: {error}.")))?;
    let mut run = dashboard.client.run_by_name(&filled.task, body);
    if !filled.key.is_empty() {
        run = run.key(&filled.key).key_for(SENT_AGAIN);
    }
    if !filled.when.trim().is_empty() {
        let when = When::from(filled.when.trim());
        when.resolve(dashboard.now())
            .map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, format!("Failed to {error}.")))?;
        run = run.at(when);
    }
    run.await.map(|started| started.id()).map_err(|error| (status(&error), error.to_string()))
}

fn form_page(dashboard: &Dashboard, manifest: &Manifest, filled: &Filled, why: Option<&str>) -> Markup {
    let known = manifest.task(&filled.task).is_some();
    let title = format!("Start {}", plain(&filled.task));
    let content = html! {
        h1 { (title) }
        @if let Some(why) = why { p class="notice" role="alert" { (plain(why)) } }
        @if !known {
            p class="notice" { "The app has no task of this name. " a href="/start" { "Choose one" } }
        }
        (form(dashboard, filled))
    };
    dashboard.page(&Frame { title: &title, at: "/start", refresh: None }, &content)
}

fn form(dashboard: &Dashboard, filled: &Filled) -> Markup {
    html! {
        form class="sheet" method="post" action="/start" {
            input type="hidden" name="token" value=(dashboard.token.text());
            input type="hidden" name="key" value=(filled.key);
            input type="hidden" name="task" value=(filled.task);
            label {
                span { "Body, as JSON" }
                textarea name="body" rows="12" spellcheck="false" { (filled.body) }
            }
            label {
                span { "When" }
                input name="when" value=(filled.when) placeholder="now; or such as: 10 minutes, 2 days, 2027-01-31T08:00:00Z";
            }
            button class="main" { "Start" }
        }
    }
}

fn choice(manifest: &Manifest) -> Markup {
    let mut tasks: Vec<&TaskEntry> = manifest.tasks().map(|(_, task)| task).collect();
    tasks.sort_by(|a, b| a.name.cmp(&b.name));
    html! {
        h1 { "Start a task" }
        @if tasks.is_empty() { p class="empty" { "The app has no tasks." } }
        ul class="cards" {
            @for task in tasks {
                @let address = serde_urlencoded::to_string([("task", &task.name)]).unwrap_or_default();
                li {
                    @if task.private {
                        div class="sheet soft" { b { (plain(&task.name)) } br; "private: only functions and schedules start it" }
                    } @else {
                        a href={ "/start?" (address) } {
                            b { (plain(&task.name)) } br;
                            span class="soft" { "timeout " (took(task.policy.timeout)) }
                            @if !task.schedules.is_empty() { span class="soft" { " · " (task.schedules.len()) " scheduled" } }
                        }
                    }
                }
            }
        }
    }
}
