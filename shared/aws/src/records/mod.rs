//! The records, in one DynamoDB table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | record | `{kind}/{id}` | `record` |
//! | a record beside it | `{kind}/{id}` | `record/{its kind}/{its id}` |
//! | a payload that doesn't fit into it | `{kind}/{id}` | `payload/{slot}/{version}` |
//! | the same, from its second part on | `{kind}/{id}` | `payload/{slot}/{version}/{part}` |
//! | a place in an index beyond its first there | `{kind}/{id}` | `place/{index}/{partition}/{sort}` |
//! | a line of its log | `{kind}/{id}` | `log/{sort}` |
//!
//! A record has its `version`, its document as JSON text in `doc`, its payloads in `p.{slot}` or the sort keys of their
//! items in `a.{slot}`, its sets in `s.{slot}`, and in `overflow` the mark that items stand beside it. Each index holds keys only, by two
//! attributes: `{index}` is the partition with its shard, `{index}Sort` the sort text. `expiresAtS` is the table's time
//! to live, in Unix seconds; the service deletes late, so that every read and every condition looks at it.

mod attribute;
mod batch;
mod create;
mod delete;
mod expire;
mod gather;
mod index;
mod item;
mod log;
mod owned;
mod payload;
mod places;
mod query;
mod save;
mod update_expression;

pub(crate) use attribute::{RECORD, key};
pub(crate) use index::fnv1a;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::query::builders::QueryFluentBuilder,
    types::AttributeValue,
};
use dacapo_core::port::{Clock, Outbox, PortError, PortResult, Records};
use dacapo_domain::{
    Claim, Created, Effect, Header, LogLine, OwnedQuery, Page, Query, RecordKey, Saved, StoredRecord, Write,
};
use jiff::Timestamp;

use self::attribute::{PK, SK, text};
use crate::{
    error::Operation,
    stack::{Service, Stack},
};

/// The records, in one DynamoDB table named `{app}-{stage}`.
pub(crate) struct DynamoRecords {
    client: Client,
    stack: Arc<Stack>,
    clock: Arc<dyn Clock>,
    /// The way out for what follows from a write: the table and the queues share no transaction.
    outbox: Arc<dyn Outbox>,
    /// The record that was last marked to have a log, and its expiry: it saves a write a line.
    marked: Mutex<Option<(RecordKey, Option<i64>)>>,
}

impl DynamoRecords {
    /// The records of a stack. The clock says what has expired.
    pub(crate) fn new(client: Client, stack: Arc<Stack>, clock: Arc<dyn Clock>, outbox: Arc<dyn Outbox>) -> Self {
        Self { client, stack, clock, outbox, marked: Mutex::default() }
    }

    fn table(&self) -> &str {
        self.stack.prefix()
    }

    /// The query of the items of a partition between two sort keys, strongly consistent.
    fn query_between(&self, pk: &str, from: AttributeValue, to: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(self.table())
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", from)
            .expression_attribute_values(":to", text(to))
            .consistent_read(true)
    }

    /// Now in Unix seconds, as the table's time to live has it.
    fn now_s(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// The port error of a failed call of DynamoDB.
    fn failed<E>(&self, operation: Operation<'_>, error: SdkError<E>) -> PortError
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.stack.errors(Service::DynamoDb).port(operation, error)
    }
}

#[async_trait]
impl Records for DynamoRecords {
    async fn create(&self, write: &Write, claim: Option<&Claim>) -> PortResult<Created> {
        self.create_record(write, claim).await
    }

    async fn create_all(&self, writes: &[(Write, Option<Claim>)]) -> Vec<PortResult<Created>> {
        self.create_records(writes).await
    }

    async fn load(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        self.load_record(key).await
    }

    async fn peek(&self, keys: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        self.peek_records(keys).await
    }

    async fn gather(&self, key: &RecordKey, set: &str, members: &[String]) -> PortResult<Option<StoredRecord>> {
        self.gather_members(key, set, members).await
    }

    async fn save(&self, seen: &Header, write: &Write) -> PortResult<Saved> {
        self.save_record(seen, write).await
    }

    async fn delete(&self, seen: &Header, effects: &[Effect]) -> PortResult<bool> {
        self.delete_record(seen, effects).await
    }

    async fn postpone(&self, key: &RecordKey, seen: Timestamp, until: Timestamp) -> PortResult<bool> {
        self.postpone_record(key, seen, until).await
    }

    async fn expire_overflow(&self, seen: &Header) -> PortResult<()> {
        self.expire_step(seen).await
    }

    async fn query(&self, query: &Query) -> PortResult<Page> {
        self.query_index(query).await
    }

    async fn owned(&self, query: &OwnedQuery) -> PortResult<Vec<StoredRecord>> {
        self.query_owned(query).await
    }

    async fn append(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        self.append_lines(key, lines).await
    }

    async fn read_log(&self, key: &RecordKey, after: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.read_lines(key, after, limit).await
    }

    async fn read_log_back(&self, key: &RecordKey, before: Option<&str>, limit: usize) -> PortResult<Vec<LogLine>> {
        self.read_lines_back(key, before, limit).await
    }
}
