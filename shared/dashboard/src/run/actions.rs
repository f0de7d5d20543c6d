//! The buttons of a run, and what they do.

use axum::{
    Form,
    extract::{
        Path, State,
        rejection::{FormRejection, PathRejection},
    },
    response::{IntoResponse, Redirect, Response},
};
use dacapo_domain::{Id, RunView};
use maud::{Markup, html};
use serde::Deserialize;

use super::address;
use crate::{
    guard::random_text,
    page::{Dashboard, PageError, again, finish},
    start::SENT_AGAIN,
};

/// The form that a button sends. It is answered with a redirection, so that a reload repeats nothing.
#[derive(Default, Deserialize)]
pub struct Pressed {
    #[serde(default)]
    token: String,
    /// The new run's idempotency key: a button pressed twice replays once.
    #[serde(default)]
    key: String,
    #[serde(default)]
    message: String,
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

/// `POST /run/{id}/replay`
pub async fn replay(State(dashboard): State<Dashboard>, id: Address, sent: Sent) -> Response {
    press(dashboard, id, sent, replay_form, async |dashboard, id, sent| {
        let mut run = dashboard.client.replay_of(id, None).await?;
        if !sent.key.is_empty() {
            run = run.key(sent.key).key_for(SENT_AGAIN);
        }
        Ok(run.await?.id())
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
    let read = address(id).and_then(|id| match sent {
        Ok(Form(sent)) => Ok((id, sent)),
        Err(error) => Err(PageError::unreadable(error.status(), &error.body_text())),
    });
    let done = match read {
        Ok((id, sent)) if !dashboard.token.is(&sent.token) => return again(&dashboard, &form(&dashboard, id, &sent)),
        Ok((id, sent)) => finish(act(dashboard.clone(), id, sent)).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(id) => Redirect::to(&format!("/run/{id}")).into_response(),
        Err(error) => error.page(&dashboard),
    }
}

/// The buttons.
pub fn buttons(dashboard: &Dashboard, run: &RunView) -> Markup {
    let again = serde_urlencoded::to_string([("task", &run.name), ("from", &run.id.to_string())]).unwrap_or_default();
    html! {
        div class="actions" {
            @if !run.state.is_final() {
                details class="asks" { summary { "Abort…" } (abort_form(dashboard, run.id, &Pressed::default())) }
            }
            a class="button" href={ "/start?" (again) } { "Edit and start" }
            (replay_form(dashboard, run.id, &Pressed { key: random_text(), ..Pressed::default() }))
        }
    }
}

fn abort_form(dashboard: &Dashboard, id: Id, filled: &Pressed) -> Markup {
    html! {
        form method="post" action={ "/run/" (id.to_string()) "/abort" } {
            input type="hidden" name="token" value=(dashboard.token.text());
            input name="message" value=(filled.message) aria-label="Why" placeholder="why (kept with the run)" maxlength="500";
            button class="harm" { "Abort" }
        }
    }
}

fn replay_form(dashboard: &Dashboard, id: Id, filled: &Pressed) -> Markup {
    html! {
        form method="post" action={ "/run/" (id.to_string()) "/replay" } {
            input type="hidden" name="token" value=(dashboard.token.text());
            input type="hidden" name="key" value=(filled.key);
            button { "Replay" }
        }
    }
}
