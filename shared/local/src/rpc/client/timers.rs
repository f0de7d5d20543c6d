//! One-time schedules, over HTTP.

use async_trait::async_trait;
use dacapo::port::{PortResult, Timers};
use dacapo_domain::Message;
use jiff::Timestamp;

use super::Connection;
use crate::rpc::verbs;

#[async_trait]
impl Timers for Connection {
    async fn put(&self, name: &str, at: Timestamp, function: &str, message: &Message) -> PortResult<()> {
        self.call(&verbs::PUT_TIMER, (name.to_owned(), at, function.to_owned(), message.clone())).await
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        self.call(&verbs::DELETE_TIMER, name.to_owned()).await
    }
}
