//! What a program does with an app: start, publish, look, abort.

mod known;
mod look;
mod origin;
pub(crate) mod publish;
mod run;
mod schedules;

use std::sync::Arc;

pub use look::Listed;
pub(crate) use origin::Origin;
pub use publish::{Publish, Published};
pub use run::{Run, Started};
pub use schedules::{ScheduleClient, ScheduleState};

use self::known::Known;
use crate::port::Ports;

/// An app, as its functions and other programs use it. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    app: Arc<App>,
    origin: Option<Origin>,
}

/// What the clients of all handlers of a process share.
struct App {
    ports: Ports,
    known: Known,
}

impl Client {
    /// A client over the given ports; `dacapo_serve::client_from_env` finds them by itself.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { app: Arc::new(App { ports, known: Known::default() }), origin: None }
    }

    /// The client of a handler, where this is its process's.
    pub(crate) fn for_handler(&self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self.clone() }
    }

    /// The client of a hook, where this is the one of its attempt.
    pub(crate) fn for_hook(&self, hook: &str) -> Self {
        Self { origin: self.origin().map(|origin| origin.of_hook(hook)), ..self.clone() }
    }

    /// The ports it uses.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.app.ports
    }

    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Schedules: declared ones, and those made at run time.
    #[must_use]
    pub fn schedules(&self) -> ScheduleClient {
        ScheduleClient::new(self.clone())
    }
}
