//! The form that starts a task, or publishes an event.

use axum::{
    Form,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use dacapo::{ListFilter, StartRun};
use dacapo_domain::{Id, Json, Manifest, TaskEntry, When};
use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    form::{self, SENT_AGAIN, again, finish, hidden},
    guard::random_text,
    list::{address, brief},
    page::{Dashboard, FORM_BYTES, Frame, Page, PageError, status},
    run,
    show::{plain, pretty, took},
};

/// The last runs of a task whose bodies a form offers.
const LAST: usize = 8;

/// The form that is asked for.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    task: String,
    /// The event that is published, where no task is started.
    #[serde(default)]
    event: String,
    /// The run whose body fills the form.
    #[serde(default)]
    from: String,
    /// The run that is replayed, with its body or another.
    #[serde(default)]
    replay: String,
}

/// The form as it is sent.
#[derive(Clone, Default, Deserialize)]
pub struct Filled {
    #[serde(default)]
    token: String,
    /// The run's idempotency key, or the event's id, new with each form: one that is sent twice starts once.
    #[serde(default)]
    key: String,
    #[serde(default)]
    task: String,
    #[serde(default)]
    event: String,
    /// The run that is replayed.
    #[serde(default)]
    replay: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    when: String,
    /// Tags, with commas between them.
    #[serde(default)]
    tags: String,
}

type Refused = (StatusCode, String);

/// `GET /start`
pub async fn show(State(dashboard): State<Dashboard>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    dashboard.respond(async { page(&dashboard, asked?.0).await }).await
}

async fn page(dashboard: &Dashboard, asked: Asked) -> Result<Page, PageError> {
    let manifest = dashboard.client.manifest().await?;
    if !asked.replay.is_empty() {
        let run = dashboard.client.state(run::parse(&asked.replay)?).await?;
        let body = run.body.as_ref().map_or_else(|| "{}".to_owned(), editable);
        let filled = Filled { key: random_text(), task: run.name, replay: asked.replay, body, ..Filled::default() };
        return Ok(form_page(dashboard, &manifest, &filled, &[], None));
    }
    if asked.task.is_empty() && asked.event.is_empty() {
        return Ok(dashboard.page(&Frame { title: "Start", at: "/start", refresh: None }, &choice(&manifest)));
    }
    let body = match asked.from.as_str() {
        "" => None,
        id => dashboard.client.state(run::parse(id)?).await?.body,
    };
    let body = body.as_ref().map_or_else(|| "{}".to_owned(), editable);
    let Asked { task, event, .. } = asked;
    let last = if manifest.task(&task).is_some() { last_bodies(dashboard, &task).await? } else { vec![] };
    let filled = Filled { key: random_text(), task, event, body, ..Filled::default() };
    Ok(form_page(dashboard, &manifest, &filled, &last, None))
}

/// A body as it is edited: laid out, unless that would be too long for a form.
fn editable(body: &Json) -> String {
    Some(pretty(body)).filter(|text| text.len() <= FORM_BYTES / 4).unwrap_or_else(|| body.text().to_owned())
}

/// The bodies of a task's last runs, each once, with a run that has it.
async fn last_bodies(dashboard: &Dashboard, task: &str) -> Result<Vec<(Id, Json)>, PageError> {
    let filter = ListFilter { task: Some(task.to_owned()), limit: LAST, ..ListFilter::default() };
    let mut bodies: Vec<(Id, Json)> = vec![];
    for run in dashboard.client.list(filter).await?.runs {
        if let Some(body) = run.body.filter(|body| !bodies.iter().any(|(_, known)| known == body)) {
            bodies.push((run.id, body));
        }
    }
    Ok(bodies)
}

/// `POST /start`
pub async fn start(State(dashboard): State<Dashboard>, sent: Result<Form<Filled>, FormRejection>) -> Response {
    let filled = match sent {
        Ok(Form(filled)) => filled,
        Err(error) => return PageError::from(error).page(&dashboard),
    };
    if !dashboard.token.is(&filled.token) {
        return again(&dashboard, &form(&dashboard, &filled));
    }
    let (here, asked) = (dashboard.clone(), filled.clone());
    let begun = finish(async move { Ok(begin(&here, &asked).await) }).await;
    let (status, why) = match begun {
        Ok(Ok(address)) => return Redirect::to(&address).into_response(),
        Ok(Err(refused)) => refused,
        Err(lost) => return lost.page(&dashboard),
    };
    match dashboard.client.manifest().await {
        Ok(manifest) => (status, form_page(&dashboard, &manifest, &filled, &[], Some(&why))).into_response(),
        Err(error) => PageError::from(error).page(&dashboard),
    }
}

/// Starts or publishes it; gives the address that shows what comes of it.
async fn begin(dashboard: &Dashboard, filled: &Filled) -> Result<String, Refused> {
    let refused = |why: String| (StatusCode::UNPROCESSABLE_ENTITY, why);
    let text = if filled.body.trim().is_empty() { "{}" } else { filled.body.trim() };
    let body = Json::from_text(text).map_err(|error| refused(format!("Failed to read the body as JSON: {error}.")))?;
    let when = Some(filled.when.trim()).filter(|when| !when.is_empty()).map(When::from);
    if let Some(when) = &when {
        when.resolve(dashboard.now()).map_err(|error| refused(format!("Failed to {error}.")))?;
    }
    let begun = if filled.event.is_empty() {
        start_run(dashboard, filled, body, when).await
    } else {
        publish(dashboard, filled, body, when).await
    };
    begun.map_err(|error| (status(&error), error.to_string()))
}

async fn start_run(
    dashboard: &Dashboard,
    filled: &Filled,
    body: Json,
    when: Option<When>,
) -> Result<String, dacapo::Error> {
    let tags = filled.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    let run = match filled.replay.as_str() {
        "" => dashboard.client.run_by_name(&filled.task, body),
        id => replay(dashboard, id, body).await?,
    };
    let mut run = run.tags(tags);
    if !filled.key.is_empty() {
        run = run.key(&filled.key).key_for(SENT_AGAIN);
    }
    if let Some(when) = when {
        run = run.at(when);
    }
    Ok(format!("/run/{}", run.await?.id()))
}

/// A replay of a run. With the body that it had, laid out in whatever way, it is one as it was, which a private task's
/// run may have, too.
async fn replay(dashboard: &Dashboard, id: &str, body: Json) -> Result<StartRun<serde_json::Value>, dacapo::Error> {
    let id: Id = id.parse().map_err(|error| dacapo::Error::usage(format_args!("replay a run: {error}")))?;
    let first = dashboard.client.state(id).await?.body;
    let is_another = first.is_none_or(|first| pretty(&first) != pretty(&body));
    dashboard.client.replay_of(id, is_another.then_some(body)).await
}

async fn publish(
    dashboard: &Dashboard,
    filled: &Filled,
    body: Json,
    when: Option<When>,
) -> Result<String, dacapo::Error> {
    let mut publish = dashboard.client.publish_by_name(&filled.event, body);
    if !filled.key.is_empty() {
        publish = publish.id(&filled.key);
    }
    if let Some(when) = when {
        publish = publish.at(when);
    }
    publish.await?;
    Ok(address("/deliveries", &[("event", &filled.event)]))
}

fn form_page(
    dashboard: &Dashboard,
    manifest: &Manifest,
    filled: &Filled,
    last: &[(Id, Json)],
    why: Option<&str>,
) -> Page {
    let is_event = !filled.event.is_empty();
    let is_known = match is_event {
        true => manifest.events().contains(&*filled.event),
        false => manifest.task(&filled.task).is_some(),
    };
    let title = format!("{} {}", verb(filled), plain(if is_event { &filled.event } else { &filled.task }));
    let content = html! {
        h1 { (title) }
        @if let Some(why) = why { p class="notice" role="alert" { (plain(why)) } }
        @if !is_known {
            p class="notice" {
                "The app has no " (if is_event { "handler of an event" } else { "task" }) " of this name. "
                a href="/start" { "Choose one" }
            }
        }
        @if !filled.replay.is_empty() {
            p class="soft" {
                "A new run of the same task, which names " a class="id" href={ "/run/" (filled.replay) } { (plain(&filled.replay)) }
                " as the one it comes from."
            }
        }
        (form(dashboard, filled))
        @if !last.is_empty() {
            div class="sheet" {
                h2 { "Bodies of its last runs" }
                ul class="tree" {
                    @for (id, body) in last {
                        li { a href=(address("/start", &[("task", &filled.task), ("from", &id.to_string())])) { code class="clip" { (brief(body.text())) } } }
                    }
                }
            }
        }
    };
    dashboard.page(&Frame { title: &title, at: "/start", refresh: None }, &content)
}

const fn verb(filled: &Filled) -> &'static str {
    match (filled.event.is_empty(), filled.replay.is_empty()) {
        (false, _) => "Publish",
        (true, true) => "Start",
        (true, false) => "Replay",
    }
}

fn form(dashboard: &Dashboard, filled: &Filled) -> Markup {
    html! {
        form class="sheet" method="post" action="/start" {
            (hidden(&[
                ("token", dashboard.token.text()),
                ("key", &filled.key),
                ("task", &filled.task),
                ("event", &filled.event),
                ("replay", &filled.replay),
            ]))
            (form::json("body", "Body, as JSON", &filled.body, 12))
            label {
                span { "When" }
                input name="when" value=(filled.when) placeholder="now; or such as: 10 minutes, 2 days, 2027-01-31T08:00:00Z";
            }
            @if filled.event.is_empty() {
                label { span { "Tags" } input name="tags" value=(filled.tags) placeholder="none; or such as: yearly, open data"; }
            }
            button class="main" { (verb(filled)) }
        }
    }
}

fn choice(manifest: &Manifest) -> Markup {
    let mut tasks: Vec<&TaskEntry> = manifest.tasks().map(|(_, task)| task).collect();
    tasks.sort_by(|a, b| a.name.cmp(&b.name));
    let events = manifest.events();
    html! {
        h1 { "Start a task" }
        @if tasks.is_empty() { p class="empty" { "The app has no tasks." } }
        ul class="cards" {
            @for task in tasks {
                li {
                    @if task.private {
                        div class="soft" { b { (plain(&task.name)) } br; "private: only functions and schedules start it" }
                    } @else {
                        a href=(address("/start", &[("task", &task.name)])) {
                            b { (plain(&task.name)) } br;
                            span class="soft" { "timeout " (took(task.policy.timeout)) }
                            @if !task.schedules.is_empty() { span class="soft" { " · " (task.schedules.len()) " scheduled" } }
                        }
                    }
                }
            }
        }
        @if !events.is_empty() {
            h1 { "Publish an event" }
            ul class="cards" { @for event in events { li { a href=(address("/start", &[("event", event)])) { b { (plain(event)) } } } } }
        }
    }
}
