//! A new record.

use aws_sdk_dynamodb::{
    error::SdkError, operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure,
};
use dacapo_core::port::{PortResult, post_after};
use dacapo_domain::{Claim, Created, Write};

use super::{
    DynamoRecords,
    attribute::{EXPIRES_AT_S, Item, number},
    item,
    payload::Placed,
};
use crate::error::Operation;

/// The condition of a new item: there is none, or it has expired and the service has not deleted it yet.
pub(super) const ABSENT: &str = "attribute_not_exists(pk) OR #expiresAtS <= :now";

/// The result of a put.
#[derive(Debug, PartialEq)]
pub(super) enum Put {
    /// It is stored, now or by an earlier try whose reply was lost.
    New,
    /// A record of this key was there.
    Exists(Item),
    /// The claim's record was there, in another version than the one seen.
    Claimed(Item),
}

impl DynamoRecords {
    pub(super) async fn create_record(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        self.forget_mark(&write.header.key);
        let mut placed = vec![(write, self.place(write).await?)];
        if let Some(claim) = claim {
            placed.push((&claim.write, self.place(&claim.write).await?));
        }
        let put = match (claim, &*placed) {
            (Some(claim), [(_, record), (_, second)]) => {
                self.put_with_claim(write, &record.item, claim, &second.item).await?
            }
            _ => self.put_record(write, &placed[0].1.item).await?,
        };
        let (Put::Exists(found) | Put::Claimed(found)) = &put else {
            for (write, _) in placed {
                post_after(&*self.outbox, &write.effects).await;
            }
            return Ok(Created::New);
        };
        for (write, Placed { apart, .. }) in &placed {
            self.drop_apart(write, apart, Some(found)).await;
        }
        let stored = item::read(found)?;
        Ok(if matches!(put, Put::Claimed(_)) { Created::Claimed(stored) } else { Created::Exists(stored) })
    }

    async fn put_record(&self, write: &Write, item: &Item) -> PortResult<Put> {
        let put = self
            .client
            .put_item()
            .table_name(self.table())
            .set_item(Some(item.clone()))
            .condition_expression(ABSENT)
            .expression_attribute_names("#expiresAtS", EXPIRES_AT_S)
            .expression_attribute_values(":now", number(self.now_s()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Put::New),
            Err(error) => match found(&error) {
                Some(found) if item::is_of(found, write) => Ok(Put::New),
                Some(found) => Ok(Put::Exists(found.clone())),
                None => Err(self.failed(Operation::of("create", &write.header.key.to_string()), error)),
            },
        }
    }
}

/// The item that was in the way.
fn found(error: &SdkError<PutItemError>) -> Option<&Item> {
    match error {
        SdkError::ServiceError(refusal) => match refusal.err() {
            PutItemError::ConditionalCheckFailedException(failure) => failure.item(),
            _ => None,
        },
        _ => None,
    }
}
