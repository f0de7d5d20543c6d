//! What one call of an event handler may ask.

use std::time::Duration;

use dacapo_domain::{EventMessage, limits};

use super::limit::Limit;
use crate::{
    Error, ErrorKind,
    client::{Client, Origin},
};

/// One attempt of one handler at an event.
pub struct EventAttempt {
    event: EventMessage,
    client: Client,
    limit: Limit,
}

impl EventAttempt {
    pub(super) fn new(client: &Client, event: EventMessage, handler: &str, timeout: Duration) -> Self {
        let client = client.for_handler(Origin::of_event(&event, handler));
        Self { client, limit: Limit::new(timeout), event }
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> &EventMessage {
        &self.event
    }

    pub(crate) fn limit(&self) -> &Limit {
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

    /// Starts runs and publishes events.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }
}
