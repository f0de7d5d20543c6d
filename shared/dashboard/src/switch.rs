//! The button that pauses what has a name, or resumes it: a queue, a schedule.

use axum::{Form, extract::rejection::FormRejection, response::Response};
use dacapo::{Client, Error};
use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    form::{self, hidden},
    page::Dashboard,
    show::plain,
};

/// The form that the button sends.
#[derive(Deserialize)]
pub struct Pressed {
    #[serde(default)]
    token: String,
    pub name: String,
    /// True to pause it, false to resume it.
    pub paused: bool,
}

impl form::Sent for Pressed {
    fn token(&self) -> &str {
        &self.token
    }
}

/// Does what the button of a page at this address stands for, and leads back there.
pub async fn press<W>(
    dashboard: Dashboard,
    sent: Result<Form<Pressed>, FormRejection>,
    address: &'static str,
    act: impl FnOnce(Client, Pressed) -> W,
) -> Response
where
    W: Future<Output = Result<(), Error>> + Send + 'static,
{
    let again = |dashboard: &_, sent: &Pressed| button(dashboard, address, &sent.name, sent.paused);
    form::answer(dashboard, sent, again, |dashboard, sent| {
        let done = act(dashboard.client, sent);
        async move { Ok(done.await.map(|()| address.to_owned())?) }
    })
    .await
}

/// The form that pauses it, or resumes it, sent to this address.
pub fn button(dashboard: &Dashboard, address: &str, name: &str, pauses: bool) -> Markup {
    let says = if pauses { "Pause" } else { "Resume" };
    html! {
        form method="post" action=(address) {
            (hidden(&[("token", dashboard.token.text()), ("name", name), ("paused", &pauses.to_string())]))
            button aria-label={ (says) " " (plain(name)) } { (says) }
        }
    }
}
