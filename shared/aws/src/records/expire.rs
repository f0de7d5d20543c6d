//! The expiry of what stands beside a record: payloads that are stored apart, and its log.
//!
//! Invariant: *nothing outlives its record*. A record that expires leaves the reconcile index only once all that stands
//! beside it expires with it. The write that sets the expiry keeps it there, so that a process that dies afterwards
//! leaves nothing for ever. One round of updates follows that write, which is enough for most; the conductor does the
//! rest, a bounded step at a time.

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::ReturnValuesOnConditionCheckFailure};
use dacapo_core::port::PortResult;
use dacapo_domain::{Header, Index, Write, limits, sort_time};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    DynamoRecords,
    attribute::{EXPIRES_AT_S, Item, PK, RECORD, SK, key, number, number_of, text, text_of},
    save::lost_to,
};
use crate::error::Operation;

/// Items whose expiry is written at once.
const AT_ONCE: usize = 16;
/// The same as a page, with the record among them. The service names a last key wherever a page is full.
const ROUND: i32 = 16;
/// Items that the conductor asks for at once.
const PAGE: i32 = 500;
/// Items whose expiry is written in one step of the conductor, or some more: what it does in a second or two.
const STEP: usize = 1_000;

impl DynamoRecords {
    /// The time at which the conductor looks after what stands beside a record that this write lets expire. Where it
    /// was to come soon anyway, that is its time, which costs no entry of the index.
    pub(super) fn expiry_due(&self, seen: &Header) -> Timestamp {
        let now = self.clock.now();
        let soon = seen.reconcile_at.filter(|at| *at <= now + limits::MAX_RECONCILE_DELAY);
        soon.unwrap_or(now + limits::QUEUE_GRACE)
    }

    /// The first round, right after the write: no more calls for a log of 100,000 lines than for one of 16.
    pub(super) async fn expire_first(&self, write: &Write, due: Timestamp) -> PortResult<()> {
        let header = Header { reconcile_at: Some(due), ..write.header.clone() };
        let pk = header.key.to_string();
        let first = self.overflow(&pk).limit(ROUND);
        let page = self.expire_page(&pk, first, header.expires_at_s).await?;
        if page.next.is_none() { self.leave_index(&header).await } else { Ok(()) }
    }

    /// A step of the conductor.
    pub(super) async fn expire_step(&self, header: &Header) -> PortResult<()> {
        if self.set_expiries(&header.key.to_string(), header.expires_at_s, STEP).await? {
            self.leave_index(header).await?;
        }
        Ok(())
    }

    /// Takes the expiry from all items beside a record.
    pub(super) async fn keep_overflow(&self, pk: &str) -> PortResult<()> {
        self.set_expiries(pk, None, usize::MAX).await.map(|_| ())
    }

    /// Gives the items beside a record their expiry until it has written so many; says whether all have it.
    pub(super) async fn set_expiries(&self, pk: &str, expires_at_s: Option<i64>, most: usize) -> PortResult<bool> {
        let (mut written, mut from) = (0, None);
        while written < most {
            let query = self.overflow(pk).limit(PAGE).set_exclusive_start_key(from);
            let page = self.expire_page(pk, query, expires_at_s).await?;
            written += page.written;
            from = page.next;
            if from.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn expire_page(&self, pk: &str, query: QueryFluentBuilder, expires_at_s: Option<i64>) -> PortResult<Page> {
        let reply = query.send().await.map_err(|error| self.failed(Operation::of("list the items of", pk), error))?;
        let items = reply.items().iter().filter(|item| number_of(item, EXPIRES_AT_S) != expires_at_s);
        let names = items.filter_map(|item| text_of(item, SK)).filter(|sk| *sk != RECORD);
        let names: Vec<String> = names.map(ToOwned::to_owned).collect();
        let written = names.len();
        let writes = stream::iter(names).map(|sk| self.set_expiry(pk, sk, expires_at_s));
        writes.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(Page { written, next: reply.last_evaluated_key })
    }

    /// Takes a record out of the reconcile index, unless it was changed since: one that lives on keeps what stands
    /// beside it.
    async fn leave_index(&self, header: &Header) -> PortResult<()> {
        let (Some(due), Some(expires_at_s)) = (header.reconcile_at, header.expires_at_s) else { return Ok(()) };
        let pk = header.key.to_string();
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key(&*pk, RECORD)))
            .update_expression("REMOVE #reconcile, #sort")
            .condition_expression("#sort = :due AND #expiresAtS = :expiresAtS")
            .expression_attribute_names("#reconcile", Index::Reconcile.name())
            .expression_attribute_names("#sort", Index::Reconcile.sort_name())
            .expression_attribute_names("#expiresAtS", EXPIRES_AT_S)
            .expression_attribute_values(":due", text(sort_time(due)))
            .expression_attribute_values(":expiresAtS", number(expires_at_s))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) => match lost_to(&error) {
                Some(Some(found)) if !found.contains_key(EXPIRES_AT_S) => self.keep_overflow(&pk).await,
                Some(_) => Ok(()),
                None => Err(self.failed(Operation::of("let expire", &pk), error)),
            },
        }
    }

    /// The question for all items of a record, by sort key and expiry, strongly consistent; payloads come first, since
    /// log lines have an expiry of some kind from the beginning.
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
            .consistent_read(true)
            .scan_index_forward(false)
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

/// The outcome of a page of items.
struct Page {
    written: usize,
    /// The place at which the next page begins.
    next: Option<Item>,
}
