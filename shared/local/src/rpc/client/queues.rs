//! The functions' queues, over HTTP.

use async_trait::async_trait;
use dacapo::port::{Envelope, PortResult, Queues};

use super::Connection;
use crate::rpc::verbs;

#[async_trait]
impl Queues for Connection {
    async fn send(&self, function: &str, envelope: &Envelope) -> PortResult<()> {
        self.call(&verbs::SEND, (function.to_owned(), envelope.clone().into())).await
    }

    async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        self.call(&verbs::HAS_BACKLOG, function.to_owned()).await
    }

    async fn dead_letter(&self, function: &str, text: &str) -> PortResult<()> {
        self.call(&verbs::DEAD_LETTER, (function.to_owned(), text.to_owned())).await
    }
}
