//! A deleted record, and the end of what stands beside one: payloads that are stored apart, and its log.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::query::builders::QueryFluentBuilder,
    types::{DeleteRequest, ReturnValue, WriteRequest},
};
use dacapo_core::port::{PortError, PortErrorKind, PortResult, post_after};
use dacapo_domain::{Effect, Header};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    DynamoRecords,
    attribute::{EXPIRES_AT_S, HAS_OVERFLOW, PK, RECORD, SK, VERSION, key, number, number_of, text, text_of},
};
use crate::error::Operation;

/// Items whose expiry is written at once.
const AT_ONCE: usize = 16;

impl DynamoRecords {
    pub(super) async fn delete_record(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        self.forget_mark(&seen.key);
        let pk = seen.key.to_string();
        let delete = self
            .client
            .delete_item()
            .table_name(self.table())
            .set_key(Some(key(&*pk, RECORD)))
            .condition_expression("attribute_not_exists(pk) OR #version = :seen OR #expiresAtS <= :now")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#expiresAtS", EXPIRES_AT_S)
            .expression_attribute_values(":seen", text(seen.version.to_string()))
            .expression_attribute_values(":now", number(self.now_s()))
            .return_values(ReturnValue::AllOld);
        let deleted = match delete.send().await {
            Ok(reply) => reply.attributes,
            Err(SdkError::ServiceError(refusal)) if refusal.err().is_conditional_check_failed_exception() => {
                return Ok(false);
            }
            Err(error) => return Err(self.failed(Operation::of("delete", &pk), error)),
        };
        // Where there was none, a try before this one may have deleted it and no more.
        if deleted.is_none_or(|item| item.contains_key(HAS_OVERFLOW))
            && let Err(error) = self.delete_overflow(&pk).await
        {
            tracing::warn!(record = pk, %error, "what stood beside the record stays");
        }
        post_after(&*self.outbox, effects).await;
        Ok(true)
    }

    async fn delete_overflow(&self, pk: &str) -> PortResult<()> {
        let mut from = None;
        loop {
            let query = self.overflow(pk).consistent_read(true).set_exclusive_start_key(from);
            let reply =
                query.send().await.map_err(|error| self.failed(Operation::of("list the items of", pk), error))?;
            let names = reply.items().iter().filter_map(|item| text_of(item, SK)).filter(|sk| *sk != RECORD);
            let deletes = names.map(|sk| delete(pk, sk)).collect::<PortResult<Vec<_>>>()?;
            self.write_all(Operation::of("delete the items of", pk), deletes).await?;
            from = reply.last_evaluated_key;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}

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

fn delete(pk: &str, sk: &str) -> PortResult<WriteRequest> {
    let delete = DeleteRequest::builder().set_key(Some(key(pk, sk))).build();
    let delete = delete
        .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to describe a delete").caused_by(error))?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
