//! One attempt of an event's handler, and what it may ask.

use std::time::Duration;

use dacapo_domain::{EventMessage, limits};

use super::Limit;
use crate::{App, Error, ErrorKind, Origin};

/// One attempt of one handler at an event.
pub struct EventAttempt {
    event: EventMessage,
    app: App,
    origin: Origin,
    limit: Limit,
}

impl EventAttempt {
    pub(crate) fn new(app: &App, event: EventMessage, handler: &str, timeout: Duration) -> Self {
        let origin = Origin::of_event(&event, handler).within(app.traced());
        Self { app: app.clone(), origin, limit: Limit::new(timeout), event }
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> &EventMessage {
        &self.event
    }

    /// The limit of its time.
    #[must_use]
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Sets the limit of this attempt, counted from its start: up to a minute.
    ///
    /// # Errors
    /// `Usage` below a second or above a minute.
    pub fn set_timeout(&self, limit: Duration) -> Result<(), Error> {
        if !(limits::MIN_TIMEOUT..=limits::MAX_EVENT_TIMEOUT).contains(&limit) {
            let text = format!("set a timeout of {limit:?} for an event handler (allowed: 1 s to 60 s)");
            return Err(Error::new(ErrorKind::Usage, text));
        }
        self.limit.set(limit);
        Ok(())
    }

    /// The app it belongs to.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The origin of what it starts and publishes.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}
