//! A deleted record, and all that stands beside it: payloads that are stored apart, and its log.

use aws_sdk_dynamodb::{
    error::SdkError,
    types::{DeleteRequest, ReturnValue, WriteRequest},
};
use dacapo_core::port::{PortError, PortErrorKind, PortResult, post_after};
use dacapo_domain::{Effect, Header};

use super::{
    DynamoRecords,
    attribute::{EXPIRES_AT_S, HAS_OVERFLOW, RECORD, SK, VERSION, key, key_of, number, text, text_of},
};
use crate::error::Operation;

impl DynamoRecords {
    pub(super) async fn delete_record(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        self.forget_mark(&seen.key);
        let pk = seen.key.to_string();
        let delete = self
            .client
            .delete_item()
            .table_name(self.table())
            .set_key(Some(key_of(&seen.key)))
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
        if seen.key.owner.is_none()
            && deleted.is_none_or(|item| item.contains_key(HAS_OVERFLOW))
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
            let query = self.overflow(pk).set_exclusive_start_key(from);
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

fn delete(pk: &str, sk: &str) -> PortResult<WriteRequest> {
    let delete = DeleteRequest::builder().set_key(Some(key(pk, sk))).build();
    let delete = delete
        .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to describe a delete").caused_by(error))?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
