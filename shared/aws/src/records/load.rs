//! One record with all that belongs to it.

use std::borrow::Cow;

use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::{Json, RecordKey, StoredRecord};

use super::{
    DynamoRecords,
    attribute::{DOCUMENT, Item, RECORD, is_expired, key},
    item,
};
use crate::error::Operation;

impl DynamoRecords {
    pub(super) async fn load_record(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        let pk = key.to_string();
        let Some(found) = self.get(&pk, RECORD).await? else { return Ok(None) };
        let mut stored = item::read(&found)?;
        for (slot, sk) in item::apart(&found) {
            let json = self.read_apart(&pk, sk).await?;
            stored.payloads.set(Cow::Owned(slot.to_owned()), Some(json));
        }
        Ok(Some(stored))
    }

    async fn read_apart(&self, pk: &str, sk: &str) -> PortResult<Json> {
        let found = self.get(pk, sk).await?;
        let json = found.as_ref().and_then(|item| item.get(DOCUMENT)).ok_or_else(|| {
            PortError::new(PortErrorKind::Refused, format!("failed to read {sk:?} of {pk:?}: it is gone"))
        })?;
        item::read_json(json)
    }

    /// An item, strongly consistent, unless it has expired.
    async fn get(&self, pk: &str, sk: &str) -> PortResult<Option<Item>> {
        let get = self.client.get_item().table_name(self.table()).set_key(Some(key(pk, sk))).consistent_read(true);
        let reply = get.send().await.map_err(|error| self.failed(Operation::of("read", pk), error))?;
        Ok(reply.item.filter(|item| !is_expired(item, self.now_s())))
    }
}
