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
    inner: Arc<Inner>,
}

struct Inner {
    ports: Ports,
    known: Known,
    origin: Option<Origin>,
}

impl Client {
    /// A client over the given ports; `dacapo_serve::client_from_env` finds them by itself.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self::with(ports, None)
    }

    pub(crate) fn for_handler(ports: Ports, origin: Origin) -> Self {
        Self::with(ports, Some(origin))
    }

    /// The client of a hook, where this is the one of its attempt.
    pub(crate) fn for_hook(&self, hook: &str) -> Self {
        Self::with(self.ports().clone(), self.origin().map(|origin| origin.of_hook(hook)))
    }

    fn with(ports: Ports, origin: Option<Origin>) -> Self {
        Self { inner: Arc::new(Inner { ports, known: Known::default(), origin }) }
    }

    /// The ports it uses.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.inner.ports
    }

    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.inner.origin.as_ref()
    }

    /// Schedules: declared ones, and those made at run time.
    #[must_use]
    pub fn schedules(&self) -> ScheduleClient {
        ScheduleClient::new(self.clone())
    }
}
