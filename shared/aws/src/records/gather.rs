//! Sets among a record's payloads, which only ever grow, and without a new version.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use dacapo_core::port::PortResult;
use dacapo_domain::{RecordKey, StoredRecord};

use super::{
    DynamoRecords,
    attribute::{EXPIRES_AT_S, PK, SET_PREFIX, key_of, number},
    item,
    save::lost_to,
};
use crate::error::Operation;

impl DynamoRecords {
    pub(super) async fn gather_members(
        &self,
        of: &RecordKey,
        set: &str,
        members: &[String],
    ) -> PortResult<Option<StoredRecord>> {
        let pk = of.to_string();
        let add = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_of(of)))
            .update_expression("ADD #set :members")
            .condition_expression("attribute_exists(#pk) AND (attribute_not_exists(#expiresAtS) OR #expiresAtS > :now)")
            .expression_attribute_names("#set", format!("{SET_PREFIX}{set}"))
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#expiresAtS", EXPIRES_AT_S)
            .expression_attribute_values(":members", AttributeValue::Ss(members.to_vec()))
            .expression_attribute_values(":now", number(self.now_s()))
            .return_values(ReturnValue::AllNew);
        match add.send().await {
            Ok(reply) => Ok(reply.attributes().map(item::read).transpose()?),
            Err(error) if lost_to(&error).is_some() => Ok(None),
            Err(error) => Err(self.failed(Operation::of("add to a set of", &pk), error)),
        }
    }
}
