//! The receiver of what Lambda brings: the runner of a function, or the conductor.

use std::future::Future;

use dacapo_core::{
    conductor::Conductor,
    port::PortResult,
    runner::{InvokeError, Runner},
};
use dacapo_domain::{Json, Outside, Sent, TraceParent};
use jiff::Timestamp;

use crate::function_url::UrlRequest;

/// A message out of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedMessage<'a> {
    /// The text.
    pub text: &'a str,
    /// The number of times it was received, this one included.
    pub receives: u32,
    /// The sending.
    pub sent: Sent<'a>,
    /// Is true for a message from the app's dead-letter queue.
    pub from_app_dlq: bool,
}

/// The receiver of what Lambda brings.
pub trait Receiver: Send + Sync {
    /// Takes a message; an error leaves it in its queue.
    fn deliver(&self, message: ReceivedMessage<'_>, deadline: Timestamp)
    -> impl Future<Output = PortResult<()>> + Send;

    /// Takes a direct invocation.
    fn invoke(&self, payload: Json, deadline: Timestamp) -> impl Future<Output = Result<Json, InvokeError>> + Send;

    /// Is true where the messages of one invocation are taken side by side, else they are taken one after another.
    fn is_concurrent(&self) -> bool {
        false
    }

    /// Says of which trace the invocation is a part.
    fn trace(&self, _invocation: Option<TraceParent>) {}

    /// Is true where the process is to be left once it has answered.
    fn must_exit(&self) -> bool {
        false
    }
}

impl Receiver for Runner {
    async fn deliver(&self, message: ReceivedMessage<'_>, deadline: Timestamp) -> PortResult<()> {
        Self::deliver(self, message.text, message.receives, deadline).await
    }

    async fn invoke(&self, payload: Json, deadline: Timestamp) -> Result<Json, InvokeError> {
        Self::invoke(self, payload, deadline).await
    }

    fn is_concurrent(&self) -> bool {
        Self::is_concurrent(self)
    }

    fn trace(&self, invocation: Option<TraceParent>) {
        Self::trace(self, invocation);
    }

    fn must_exit(&self) -> bool {
        Self::must_exit(self)
    }
}

impl Receiver for Conductor {
    async fn deliver(&self, message: ReceivedMessage<'_>, _deadline: Timestamp) -> PortResult<()> {
        if let Some(read) = Outside::read(message.text, message.sent) {
            return self.take_from_outside(message.text, read, message.from_app_dlq).await;
        }
        if message.from_app_dlq {
            return self.undelivered(message.text).await;
        }
        Self::deliver(self, message.text).await
    }

    async fn invoke(&self, payload: Json, _deadline: Timestamp) -> Result<Json, InvokeError> {
        match UrlRequest::read(&payload) {
            Some(request) => request.answer(self).await,
            None => Self::invoke(self, payload).await,
        }
    }
}
