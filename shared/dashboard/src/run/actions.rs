//! The buttons of a run, and what they do.

use axum::{
    Form,
    extract::{
        Path, State,
        rejection::{FormRejection, PathRejection},
    },
    response::Response,
};
use dacapo_domain::{Id, Json, RunView, State as RunState, TokenText, WaitsFor};
use maud::{Markup, html};
use serde::Deserialize;

use super::address;
use crate::{
    form::{self, answer, hidden},
    list,
    page::{Dashboard, PageError},
};

/// The form that a button sends. It is answered with a redirection, so that a reload repeats nothing.
#[derive(Default, Deserialize)]
pub struct Pressed {
    #[serde(default)]
    token: String,
    #[serde(default)]
    message: String,
    /// The new time of a run that is rescheduled.
    #[serde(default)]
    when: String,
    /// The text of a token that is completed, and its value.
    #[serde(default)]
    text: String,
    #[serde(default)]
    value: String,
}

impl form::Sent for Pressed {
    fn token(&self) -> &str {
        &self.token
    }
}

type Address = Result<Path<String>, PathRejection>;
type Sent = Result<Form<Pressed>, FormRejection>;

/// `POST /run/{id}/abort`
pub async fn abort(State(dashboard): State<Dashboard>, id: Address, sent: Sent) -> Response {
    press(dashboard, id, sent, abort_form, async |dashboard, id, sent| {
        let message = match sent.message.trim() {
            "" => "aborted from the dashboard",
            message => message,
        };
        dashboard.client.abort(id, message).await?;
        Ok(id)
    })
    .await
}

/// `POST /run/{id}/pause`
pub async fn pause(State(dashboard): State<Dashboard>, id: Address, sent: Sent) -> Response {
    press(dashboard, id, sent, pause_form, async |dashboard, id, _| Ok(dashboard.client.pause(id).await?.id)).await
}

/// `POST /run/{id}/resume`
pub async fn resume(State(dashboard): State<Dashboard>, id: Address, sent: Sent) -> Response {
    press(dashboard, id, sent, resume_form, async |dashboard, id, _| Ok(dashboard.client.resume(id).await?.id)).await
}

/// `POST /run/{id}/reschedule`
pub async fn reschedule(State(dashboard): State<Dashboard>, id: Address, sent: Sent) -> Response {
    press(dashboard, id, sent, reschedule_form, async |dashboard, id, sent| {
        Ok(dashboard.client.reschedule(id, sent.when.trim()).await?.id)
    })
    .await
}

/// `POST /run/{id}/complete`
pub async fn complete(State(dashboard): State<Dashboard>, id: Address, sent: Sent) -> Response {
    press(dashboard, id, sent, complete_form, async |dashboard, id, sent| {
        let text = sent.text.trim();
        let token: TokenText = text.parse().map_err(|error| PageError::refused(format!("Failed to {error}.")))?;
        if token.run != id {
            return Err(PageError::refused(format!("The token is one of run {}: complete it on its page.", token.run)));
        }
        let value = Json::from_text(sent.value.trim());
        let value = value.map_err(|error| PageError::refused(format!("Failed to read the value as JSON: {error}.")))?;
        dashboard.client.complete(text, value).await?;
        Ok(id)
    })
    .await
}

/// Does what a button stands for, and shows the run that it gives. A form with another process's token comes back.
async fn press<Act>(
    dashboard: Dashboard,
    id: Address,
    sent: Sent,
    form: fn(&Dashboard, Id, &Pressed) -> Markup,
    act: impl FnOnce(Dashboard, Id, Pressed) -> Act,
) -> Response
where
    Act: Future<Output = Result<Id, PageError>> + Send + 'static,
{
    let id = match address(id) {
        Ok(id) => id,
        Err(error) => return error.page(&dashboard),
    };
    let again = |dashboard: &_, sent: &_| form(dashboard, id, sent);
    answer(dashboard, sent, again, |dashboard, sent| {
        let done = act(dashboard, id, sent);
        async { Ok(format!("/run/{}", done.await?)) }
    })
    .await
}

/// The buttons.
pub fn buttons(dashboard: &Dashboard, run: &RunView) -> Markup {
    let again = list::address("/start", &[("replay", run.id.to_string())]);
    html! {
        div class="actions" {
            @if !run.state.is_final() {
                details id="abort" { summary { "Abort…" } (abort_form(dashboard, run.id, &Pressed::default())) }
                @if may_move(run) {
                    details id="reschedule" { summary { "Reschedule…" } (reschedule_form(dashboard, run.id, &Pressed::default())) }
                }
                @if let Some(WaitsFor::Token { .. }) = run.waits_for {
                    details id="complete" { summary { "Complete…" } (complete_form(dashboard, run.id, &Pressed::default())) }
                }
                @if run.state == RunState::Paused { (resume_form(dashboard, run.id, &Pressed::default())) }
                @else { (pause_form(dashboard, run.id, &Pressed::default())) }
            }
            a class="button" href=(again) { "Replay…" }
        }
    }
}

/// A form of this run: the path it is sent to ends so.
fn form(dashboard: &Dashboard, id: Id, act: &str, fields: &Markup) -> Markup {
    html! {
        form method="post" action={ "/run/" (id.to_string()) "/" (act) } {
            (hidden(&[("token", dashboard.token.text())]))
            (fields)
        }
    }
}

fn abort_form(dashboard: &Dashboard, id: Id, filled: &Pressed) -> Markup {
    let fields = html! {
        input name="message" value=(filled.message) aria-label="Why" placeholder="why (kept with the run)" maxlength="500";
        button class="harm" { "Abort" }
    };
    form(dashboard, id, "abort", &fields)
}

fn pause_form(dashboard: &Dashboard, id: Id, _: &Pressed) -> Markup {
    form(dashboard, id, "pause", &html! { button { "Pause" } })
}

fn resume_form(dashboard: &Dashboard, id: Id, _: &Pressed) -> Markup {
    form(dashboard, id, "resume", &html! { button class="main" { "Resume" } })
}

fn reschedule_form(dashboard: &Dashboard, id: Id, filled: &Pressed) -> Markup {
    let fields = html! {
        input name="when" value=(filled.when) aria-label="When" placeholder="10 minutes, 2027-01-31T08:00:00Z" maxlength="100";
        button { "Reschedule" }
    };
    form(dashboard, id, "reschedule", &fields)
}

/// The text of a token is what its run's handler gave away, and proves the right to complete it.
fn complete_form(dashboard: &Dashboard, id: Id, filled: &Pressed) -> Markup {
    let fields = html! {
        div {
            label { span { "The token's text" } input name="text" value=(filled.text) maxlength="1000" autocomplete="off"; }
            (form::json("value", "Its value, as JSON", &filled.value, 3))
            button class="main" { "Complete" }
        }
    };
    form(dashboard, id, "complete", &fields)
}

/// Is true of a run that has not started, as far as is known.
fn may_move(run: &RunView) -> bool {
    run.started_at.is_none() && matches!(run.state, RunState::Scheduled | RunState::Submitted)
}
