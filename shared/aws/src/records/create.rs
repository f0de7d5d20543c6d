//! A new record, alone or with its claim in one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{
        CancellationReason, Put as PutItem, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
        builders::PutBuilder,
    },
};
use dacapo_core::port::{PortError, PortErrorKind, PortResult, post_after};
use dacapo_domain::{Claim, Created, Effect, Write};
use futures::future::join_all;

use super::{
    DynamoRecords,
    attribute::{EXPIRES_AT_S, Item, VERSION, number, text},
    item,
    payload::Placed,
};
use crate::error::Operation;

/// Records that are stored at once, of many.
const AT_ONCE: usize = 32;
/// The condition of a new item: there is none, or it has expired and the service has not deleted it yet.
const ABSENT: &str = "attribute_not_exists(pk) OR #expiresAtS <= :now";
/// Writers of the same records that meet try again so often.
const TRIES: u32 = 8;
/// The pause between two tries, at first.
const PAUSE: Duration = Duration::from_millis(20);

/// The result of a put.
#[derive(Debug, PartialEq)]
enum Put {
    /// It is stored, now or by an earlier try whose reply was lost.
    New,
    /// A record of this key was there.
    Exists(Item),
    /// The claim's record was there, in another version than the one seen.
    Claimed(Item),
}

impl DynamoRecords {
    pub(super) async fn create_record(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        let created = self.put_new(write, claim).await?;
        if created == Created::New {
            for effects in [Some(&write.effects), claim.map(|claim| &claim.write.effects)].into_iter().flatten() {
                post_after(&*self.outbox, effects).await;
            }
        }
        Ok(created)
    }

    /// Stores all of them first, so that their messages share requests.
    pub(super) async fn create_records(&self, writes: &[(Write, Option<Claim>)]) -> Vec<PortResult<Created>> {
        let mut created = Vec::with_capacity(writes.len());
        for some in writes.chunks(AT_ONCE) {
            created.extend(join_all(some.iter().map(|(write, claim)| self.put_new(write, claim.as_ref()))).await);
        }
        let new = writes.iter().zip(&created).filter(|(_, created)| matches!(created, Ok(Created::New)));
        let stored = new.flat_map(|((write, claim), _)| [Some(write), claim.as_ref().map(|claim| &claim.write)]);
        let effects: Vec<Effect> = stored.flatten().flat_map(|write| write.effects.clone()).collect();
        self.outbox.post_all(&effects).await;
        created
    }

    async fn put_new(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        self.forget_mark(&write.header.key);
        let mut placed = vec![];
        for write in [Some(write), claim.map(|claim| &claim.write)].into_iter().flatten() {
            let marks = self.put_further(write).await?;
            placed.push((write, self.place(write, marks, true).await?));
        }
        let put = match (claim, &*placed) {
            (Some(claim), [(_, record), (_, second)]) => {
                self.put_with_claim(write, &record.item, claim, &second.item).await?
            }
            _ => self.put_record(write, &placed[0].1.item).await?,
        };
        let (Put::Exists(found) | Put::Claimed(found)) = &put else {
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

impl DynamoRecords {
    /// Stores a record and its claim together, or finds the one that is in the way.
    async fn put_with_claim(&self, write: &Write, item: &Item, claim: &Claim, second: &Item) -> PortResult<Put> {
        let key = write.header.key.to_string();
        for attempt in 0..TRIES {
            let puts = [self.absent(item), self.absent_or_seen(second, claim)];
            let mut transaction = self.client.transact_write_items();
            for put in puts {
                let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
                let put = put.build().map_err(|error| {
                    PortError::new(PortErrorKind::Refused, "failed to describe a write").caused_by(error)
                })?;
                transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
            }
            let Err(error) = transaction.send().await else { return Ok(Put::New) };
            match read_reasons(reasons(&error), write, claim) {
                Some(Cancelled::Put(put)) => return Ok(put),
                Some(Cancelled::Passing) => tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await,
                None => return Err(self.failed(Operation::of("create", &key), error)),
            }
        }
        let message = format!("failed to create {key:?}: too many write it or its claim at once (try again)");
        Err(PortError::new(PortErrorKind::Transient, message))
    }

    fn absent(&self, item: &Item) -> PutBuilder {
        PutItem::builder()
            .table_name(self.table())
            .set_item(Some(item.clone()))
            .condition_expression(ABSENT)
            .expression_attribute_names("#expiresAtS", EXPIRES_AT_S)
            .expression_attribute_values(":now", number(self.now_s()))
    }

    fn absent_or_seen(&self, item: &Item, claim: &Claim) -> PutBuilder {
        let put = self.absent(item);
        match claim.seen {
            None => put,
            Some(seen) => put
                .condition_expression(format!("{ABSENT} OR #version = :seen"))
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":seen", text(seen.to_string())),
        }
    }
}

/// The reason why a transaction was cancelled.
#[derive(Debug, PartialEq)]
enum Cancelled {
    /// A record was in the way, or this write's own.
    Put(Put),
    /// Another writer was at the same records: another try may do.
    Passing,
}

/// The reasons of a cancelled transaction, in the order of its writes: the record, the claim.
fn reasons(error: &SdkError<TransactWriteItemsError>) -> &[CancellationReason] {
    match error {
        SdkError::ServiceError(refusal) => match refusal.err() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled.cancellation_reasons(),
            _ => &[],
        },
        _ => &[],
    }
}

/// `None` where it was cancelled for a reason that another try doesn't mend. All conditions are told, and the record's
/// own comes first: both are there where a try before this one had won.
fn read_reasons(reasons: &[CancellationReason], write: &Write, claim: &Claim) -> Option<Cancelled> {
    let [record, second] = reasons else { return None };
    let failed = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let found = |reason: &CancellationReason| reason.item().filter(|_| failed(reason)).cloned();
    let put = match (found(record), found(second)) {
        (Some(record), _) if item::is_of(&record, write) => Put::New,
        (_, Some(second)) if item::is_of(&second, &claim.write) => Put::New,
        (Some(record), _) => Put::Exists(record),
        (None, Some(second)) => Put::Claimed(second),
        (None, None) => {
            let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
            let passes = |reason: &CancellationReason| reason.code().is_some_and(|code| passing.contains(&code));
            // One that failed without an item was deleted in between.
            let again = [record, second].into_iter().any(|reason| passes(reason) || failed(reason));
            return again.then_some(Cancelled::Passing);
        }
    };
    Some(Cancelled::Put(put))
}
