//! The expiry of what stands beside a record: payloads that are stored apart, and its log.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use dacapo_core::port::PortResult;
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    DynamoRecords,
    attribute::{EXPIRES_AT_S, PK, RECORD, SK, key, number, number_of, text, text_of},
};
use crate::error::Operation;

/// Items that are written at once.
const AT_ONCE: usize = 16;

impl DynamoRecords {
    /// Gives all items beside a record the same expiry; `None` takes it from them.
    pub(super) async fn expire_overflow(&self, pk: &str, expires_at_s: Option<i64>) -> PortResult<()> {
        let mut from = None;
        loop {
            let query = self.overflow(pk).set_exclusive_start_key(from);
            let reply =
                query.send().await.map_err(|error| self.failed(Operation::of("list the items of", pk), error))?;
            let items = reply.items().iter().filter(|item| number_of(item, EXPIRES_AT_S) != expires_at_s);
            let names = items.filter_map(|item| text_of(item, SK)).filter(|sk| *sk != RECORD);
            let names: Vec<String> = names.map(ToOwned::to_owned).collect();
            let writes = stream::iter(names).map(|sk| self.set_expiry(pk, sk, expires_at_s));
            writes.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            from = reply.last_evaluated_key;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    /// The question for all items of a record, by sort key and expiry.
    pub(super) fn overflow(&self, pk: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(self.table())
            .key_condition_expression("#pk = :pk")
            .projection_expression("#pk, #sk, #expiresAtS")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_names("#expiresAtS", EXPIRES_AT_S)
            .expression_attribute_values(":pk", text(pk))
    }

    async fn set_expiry(&self, pk: &str, sk: String, expires_at_s: Option<i64>) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key(pk, sk)))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#expiresAtS", EXPIRES_AT_S);
        let update = match expires_at_s {
            Some(expires_at_s) => update
                .update_expression("SET #expiresAtS = :expiresAtS")
                .expression_attribute_values(":expiresAtS", number(expires_at_s)),
            None => update.update_expression("REMOVE #expiresAtS"),
        };
        match update.send().await {
            Ok(_) => Ok(()),
            // It was deleted since.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(self.failed(Operation::of("let an item expire of", pk), error)),
        }
    }
}
