//! Records that stand beside another, in its partition.

use aws_sdk_dynamodb::types::AttributeValue;
use dacapo_core::port::PortResult;
use dacapo_domain::{OwnedQuery, StoredRecord};

use super::{
    DynamoRecords,
    attribute::{OWNED, SK, is_expired, partition, text},
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
            let query = self.query_between(&pk, first, &format!("{OWNED}{kind}0"));
            let query = query.limit(i32::try_from(limit - records.len()).unwrap_or(i32::MAX));
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
