//! Recurring schedules made at run time, over HTTP.

use async_trait::async_trait;
use dacapo::port::{PortResult, Schedules};
use dacapo_domain::Schedule;

use super::Connection;
use crate::rpc::verbs;

#[async_trait]
impl Schedules for Connection {
    async fn put(&self, name: &str, function: &str, schedule: &Schedule) -> PortResult<()> {
        self.call(&verbs::PUT_SCHEDULE, (name.to_owned(), function.to_owned(), schedule.clone())).await
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        self.call(&verbs::REMOVE_SCHEDULE, name.to_owned()).await
    }
}
