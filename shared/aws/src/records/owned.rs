//! Records that stand beside another, in its partition.

use aws_sdk_dynamodb::types::AttributeValue;
use dacapo_core::port::PortResult;
use dacapo_domain::{OwnedQuery, StoredRecord};

use super::{
    DynamoRecords,
    attribute::{OWNED, PK, SK, is_expired, partition, text},
    item,
};
use crate::error::Operation;

impl DynamoRecords {
    pub(super) async fn query_owned(&self, asked: &OwnedQuery) -> PortResult<Vec<StoredRecord>> {
        let OwnedQuery { owner, kind, after, limit } = asked;
        let pk = partition(owner);
        // A blank sorts behind the id itself and before the next; '0' is the character behind '/'.
        let from = after.as_ref().map_or_else(|| format!("{OWNED}{kind}/"), |after| format!("{OWNED}{kind}/{after} "));
        let mut from: Option<AttributeValue> = Some(text(from));
        let mut records = vec![];
        while let Some(first) = from.take().filter(|_| records.len() < *limit) {
            let query = self
                .client
                .query()
                .table_name(self.table())
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":pk", text(&*pk))
                .expression_attribute_values(":from", first)
                .expression_attribute_values(":to", text(format!("{OWNED}{kind}0")))
                .limit(i32::try_from(limit - records.len()).unwrap_or(i32::MAX))
                .consistent_read(true);
            let operation = Operation::of("list the records beside", &pk);
            let reply = query.send().await.map_err(|error| self.failed(operation, error))?;
            for found in reply.items().iter().filter(|item| !is_expired(item, self.now_s())) {
                records.push(item::read(found)?);
            }
            let last = reply.last_evaluated_key.and_then(|mut last| last.remove(SK));
            from = last.and_then(|last| Some(text(format!("{} ", last.as_s().ok()?))));
        }
        Ok(records)
    }
}
