//! Publishing events.

use std::future::IntoFuture;

use dacapo_core::{publish, read_traceparent};
use dacapo_domain::{EventMessage, Id, Json, Message, TraceParent, When, check_event_name, chosen_event_id, limits};
use futures::future::BoxFuture;

use super::{
    Client,
    check::{check_body, check_chars, unserializable},
};
use crate::{Error, EventRef};

/// An event to be published: it is when this is awaited.
#[must_use = "an event is published when this is awaited"]
pub struct Publish {
    client: Client,
    name: String,
    body: Result<Json, Error>,
    due: Option<When>,
    id: Option<String>,
    traceparent: Option<TraceParent>,
}

/// An event that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The event's id.
    pub id: Id,
    /// Functions that get it, as far as they are known now.
    pub subscribers: usize,
}

impl Client {
    /// Publishes an event: every function that subscribes to its name gets a delivery of its own.
    pub fn publish<B>(&self, event: EventRef<B>, body: B) -> Publish {
        let body = event.body.encode(&body).map_err(|error| unserializable("the body", &error));
        Publish { client: self.clone(), name: event.name().into_owned(), body, due: None, id: None, traceparent: None }
    }

    /// Publishes an event by its name, for programs that have no reference to it.
    pub fn publish_by_name(&self, event: &str, body: Json) -> Publish {
        Publish { client: self.clone(), name: event.to_owned(), body: Ok(body), due: None, id: None, traceparent: None }
    }
}

impl Publish {
    /// Publishes it so much later.
    pub fn after(self, delay: impl Into<When>) -> Self {
        self.at(delay)
    }

    /// Publishes it then: a timestamp, a duration, "1 hour", or milliseconds.
    pub fn at(mut self, when: impl Into<When>) -> Self {
        self.due = Some(when.into());
        self
    }

    /// The event's id, made from its name and this text of 1 to 256 characters: the same event published again within
    /// 14 days is handled once by each function that subscribes. For this a success is recorded too, which costs a read
    /// and a write for each.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Makes it a part of a trace, as [`StartRun::traceparent`](crate::client::StartRun::traceparent) does.
    pub fn traceparent(mut self, traceparent: &str) -> Self {
        self.traceparent = read_traceparent(traceparent);
        self
    }

    async fn send(self) -> Result<Published, Error> {
        check_event_name(&self.name).map_err(|error| Error::usage(format_args!("publish: {error}")))?;
        let client = self.client;
        let ports = client.ports();
        client.app.check_publish(&self.name)?;
        let body = self.body?;
        check_body("the body", &body)?;
        check_chars("an event id", self.id.as_deref())?;
        ports.clock.synchronize().await?;
        let now = ports.clock.now();
        let due_at = match self.due {
            Some(when) => when.resolve(now).map_err(Error::usage)?,
            None => now,
        };
        let origin = client.origin.as_ref();
        let is_named = self.id.is_some();
        let id = match (self.id, origin) {
            (Some(text), _) => chosen_event_id(&self.name, &text),
            (None, Some(origin)) => origin.next_id(&self.name, &body),
            (None, None) => ports.clock.id_at(now),
        };
        let event = EventMessage {
            due_at,
            hops: origin.map_or(Ok(0), |origin| origin.hops(now))?,
            traceparent: self.traceparent.or_else(|| origin?.traceparent()),
            is_named,
            ..EventMessage::at(id, self.name, body, now)
        };
        let message = Message::Event(event.clone());
        limits::check_bytes("an event", message.to_text().len(), limits::MESSAGE_BYTES).map_err(Error::usage)?;
        let subscribers = publish(&client.app, &event).await?;
        Ok(Published { id: event.id, subscribers })
    }
}

impl IntoFuture for Publish {
    type Output = Result<Published, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
