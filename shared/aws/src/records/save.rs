//! A changed record.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use dacapo_core::port::PortResult;
use dacapo_domain::{Header, Index, IndexEntry, RecordKey, Saved, Write, sort_time};
use jiff::Timestamp;

use super::{
    DynamoRecords,
    attribute::{HAS_OVERFLOW, Item, is_expired, key_of, partition, text},
    index, item,
    update_expression::{Overflow, UpdateExpression},
};
use crate::error::Operation;

/// The result of an update.
enum Updated {
    /// It is stored, now or by an earlier try whose reply was lost: the item as it is now.
    Done(Item),
    /// The condition failed: the item that stands there, unless there is none or it has expired.
    Lost(Option<Item>),
}

impl DynamoRecords {
    pub(super) async fn save_record(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        let key = &write.header.key;
        let has_log = self.is_marked(key);
        if seen.expires_at_s != write.header.expires_at_s {
            self.forget_mark(key);
        }
        if key.owner.is_none() && seen.expires_at_s.is_some() && write.header.expires_at_s.is_none() {
            // The record lives on, and needs its payloads: before it is stored, so that none is lost.
            self.keep_overflow(&key.to_string()).await?;
        }
        if write.header.expires_at_s.is_none() && write.expiry_beside_s.is_some() {
            self.set_expiries(&partition(key), write.expiry_beside_s, usize::MAX).await?;
        }
        let placed = self.place(write, Item::new(), false).await?;
        // Where the conductor comes back to the record for its own sake, a later write is the last.
        let is_last = key.owner.is_none()
            && write.header.expires_at_s.is_some()
            && !placed.item.contains_key(Index::Reconcile.name());
        let updated = if is_last {
            self.update_last(seen, write, placed.item, has_log).await?
        } else {
            self.update(seen, write, placed.item, Overflow::Any).await?
        };
        match updated {
            Updated::Done(item) => {
                self.move_further(write, &item).await?;
                self.outbox.post_all(&write.effects).await;
                if is_last
                    && let Some(due) = index::reconcile_at(&item)
                    && let Err(error) = self.expire_first(write, due).await
                {
                    tracing::debug!(record = %key, %error, "what stands beside the record is left to the conductor");
                }
                Ok(Saved::Done(item::read_payloads(&item)?))
            }
            Updated::Lost(found) => {
                self.drop_apart(write, &placed.apart, found.as_ref()).await;
                Ok(Saved::Lost(found.as_ref().map(item::read).transpose()?))
            }
        }
    }

    /// The update that takes a record out of the reconcile index, unless something stands beside it: then it stays there
    /// until that expires too. A condition asks for it, so that a record that stands alone costs one write.
    async fn update_last(&self, seen: &Header, write: &Write, mut item: Item, has_log: bool) -> PortResult<Updated> {
        if !has_log && !item.contains_key(HAS_OVERFLOW) {
            match self.update(seen, write, item.clone(), Overflow::None).await? {
                Updated::Lost(Some(found)) if item::is_at(&found, seen.version) => {}
                updated => return Ok(updated),
            }
        }
        let due = IndexEntry::reconcile(self.expiry_due(seen), IndexEntry::OTHERS);
        item.extend(index::attributes(&[due], &write.header.key.to_string()));
        self.update(seen, write, item, Overflow::Any).await
    }

    pub(super) async fn postpone_record(&self, of: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<bool> {
        let pk = of.to_string();
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_of(of)))
            .update_expression("SET #sort = :until")
            .condition_expression("#sort = :seen")
            .expression_attribute_names("#sort", Index::Reconcile.sort_name())
            .expression_attribute_values(":seen", text(sort_time(seen)))
            .expression_attribute_values(":until", text(sort_time(until)));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if lost_to(&error).is_some() => Ok(false),
            Err(error) => Err(self.failed(Operation::of("postpone", &pk), error)),
        }
    }

    async fn update(&self, seen: &Header, write: &Write, item: Item, overflow: Overflow) -> PortResult<Updated> {
        let pk = write.header.key.to_string();
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_of(&write.header.key)))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = UpdateExpression::of(item).apply(update, seen.version.to_string(), self.now_s(), overflow);
        match update.send().await {
            Ok(reply) => Ok(Updated::Done(reply.attributes.unwrap_or_default())),
            Err(error) => match lost_to(&error) {
                Some(found) => Ok(match found.filter(|item| !is_expired(item, self.now_s())).cloned() {
                    Some(item) if item::is_of(&item, write) => Updated::Done(item),
                    found => Updated::Lost(found),
                }),
                None => Err(self.failed(Operation::of("save", &pk), error)),
            },
        }
    }
}

/// The item that stood there where the condition failed; the outer `None` is another error.
#[expect(clippy::option_option, reason = "the record may be gone by the time that its condition fails")]
pub(super) fn lost_to(error: &SdkError<UpdateItemError>) -> Option<Option<&Item>> {
    match error {
        SdkError::ServiceError(refusal) => match refusal.err() {
            UpdateItemError::ConditionalCheckFailedException(failure) => Some(failure.item()),
            _ => None,
        },
        _ => None,
    }
}
