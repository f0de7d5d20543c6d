//! What ends with a record: its items beside it, and its idempotency key.

use aws_sdk_dynamodb::types::AttributeValue;
use dacapo::port::PortResult;
use dacapo_domain::Run;
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    DynamoStore, Item,
    item::{PK, RUN, SK, TTL, VERSION, key, number, number_of, run_pk, text, text_of},
    key::UNTIL,
    payload::APART,
    save::hex,
};
use crate::error::What;

/// Items that are written at once.
const AT_ONCE: usize = 16;

impl DynamoStore {
    /// A run was saved. If it has ended, what stands beside it ends with it. Gives the record's own end.
    ///
    /// The record is what counts, so that a failure here is told and no more: what stays is never shown.
    pub(super) async fn end_with(&self, run: &Run, item: &Item) -> Option<i64> {
        let ttl = run.ttl?;
        let until = number_of(item, UNTIL).unwrap_or(ttl);
        let end = ttl.max(until);
        if let Err(error) = self.try_end_with(run, item, end).await {
            tracing::warn!(run = %run.id, %error, "what stands beside the run may outlive it");
            return Some(ttl);
        }
        Some(end)
    }

    async fn try_end_with(&self, run: &Run, item: &Item, end: i64) -> PortResult<()> {
        if item.contains_key(APART) {
            self.end_beside(&run_pk(run.id), Some(end)).await?;
        }
        let Some(held) = run.key.as_deref().filter(|_| item.contains_key(UNTIL)) else { return Ok(()) };
        if Some(end) > number_of(item, TTL) {
            // The key can be judged by the run's record alone, which therefore lives as long.
            self.prolong(run, end).await?;
        }
        self.end_key(run, held, end).await
    }

    async fn prolong(&self, run: &Run, end: i64) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key(run_pk(run.id), RUN)))
            .update_expression("SET #ttl = :ttl")
            .condition_expression("#version = :version")
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":ttl", number(end))
            .expression_attribute_values(":version", text(hex(run.version)));
        update.send().await.map_err(|error| self.failed(What::new("keep the run as long as its key"), error))?;
        Ok(())
    }

    /// Gives all items beside a record the same end; `None` takes it from them.
    pub(super) async fn end_beside(&self, pk: &str, end: Option<i64>) -> PortResult<()> {
        let mut from = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(self.table())
                .key_condition_expression("#pk = :pk")
                .projection_expression("#pk, #sk, #ttl")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_names("#ttl", TTL)
                .expression_attribute_values(":pk", text(pk))
                .set_exclusive_start_key(from);
            let reply = query.send().await.map_err(|error| self.failed(What::of("list the items of", pk), error))?;
            let names: Vec<String> = reply
                .items()
                .iter()
                .filter(|item| number_of(item, TTL) != end)
                .filter_map(|item| text_of(item, SK))
                .filter(|sk| sk.contains('/'))
                .map(ToOwned::to_owned)
                .collect();
            let writes = stream::iter(names).map(|sk| self.set_end(pk, sk, end));
            writes.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            from = reply.last_evaluated_key;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn set_end(&self, pk: &str, sk: String, end: Option<i64>) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key(pk, sk)))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#ttl", TTL);
        let update = match end {
            Some(end) => update
                .update_expression("SET #ttl = :ttl")
                .expression_attribute_values(":ttl", AttributeValue::N(end.to_string())),
            None => update.update_expression("REMOVE #ttl"),
        };
        match update.send().await {
            Ok(_) => Ok(()),
            // It was deleted since.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(self.failed(What::of("let an item end of", pk), error)),
        }
    }
}
