//! The log of a record: lines that are items of their own and are only ever added.

use std::sync::PoisonError;

use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, PutRequest, ReturnValue, ReturnValuesOnConditionCheckFailure, WriteRequest},
};
use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::{LogLine, RecordKey};

use super::{
    DynamoRecords,
    attribute::{
        DOCUMENT, EXPIRES_AT_S, HAS_OVERFLOW, Item, LOG, PK, RECORD, SK, is_expired, key, number, number_of, text,
        text_of,
    },
    item,
    save::lost_to,
};
use crate::error::Operation;

/// Lines expire with their record. This is for those whose record has no expiry yet: the longest wait, and a month.
const LIFE_S: i64 = 386 * 86_400;

impl DynamoRecords {
    pub(super) async fn append_lines(&self, key: &RecordKey, lines: &[LogLine]) -> PortResult<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let expires_at_s = self.mark_overflow(key).await?.unwrap_or_else(|| self.now_s() + LIFE_S);
        let pk = key.to_string();
        let writes = lines.iter().map(|line| write_line(&pk, line, expires_at_s)).collect::<PortResult<Vec<_>>>()?;
        self.write_all(Operation::of("add to the log of", &pk), writes).await
    }

    pub(super) async fn read_lines(
        &self,
        key: &RecordKey,
        after: Option<&str>,
        limit: usize,
    ) -> PortResult<Vec<LogLine>> {
        let pk = key.to_string();
        // A blank sorts behind the line itself and before the next; '0' is the character behind '/'.
        let mut from = after.map_or_else(|| LOG.to_owned(), |after| format!("{LOG}{after} "));
        let mut lines = vec![];
        while lines.len() < limit {
            let query = self.query_lines(&pk, &from, limit - lines.len());
            let reply =
                query.send().await.map_err(|error| self.failed(Operation::of("read the log of", &pk), error))?;
            for item in reply.items().iter().filter(|item| !is_expired(item, self.now_s())) {
                lines.extend(read_line(item)?);
            }
            let Some(last) = reply.last_evaluated_key.as_ref().and_then(|last| text_of(last, SK)) else { break };
            from = format!("{last} ");
        }
        Ok(lines)
    }

    pub(super) async fn read_lines_back(
        &self,
        key: &RecordKey,
        before: Option<&str>,
        limit: usize,
    ) -> PortResult<Vec<LogLine>> {
        let pk = key.to_string();
        let mut before = before.map(|before| super::attribute::key(&*pk, format!("{LOG}{before}")));
        let mut lines = vec![];
        while lines.len() < limit {
            let query = self.query_lines(&pk, LOG, limit - lines.len()).scan_index_forward(false);
            let reply = query.set_exclusive_start_key(before).send().await;
            let reply = reply.map_err(|error| self.failed(Operation::of("read the log of", &pk), error))?;
            for item in reply.items().iter().filter(|item| !is_expired(item, self.now_s())) {
                lines.extend(read_line(item)?);
            }
            before = reply.last_evaluated_key;
            if before.is_none() {
                break;
            }
        }
        Ok(lines)
    }

    /// The query of a log's lines from a place on.
    fn query_lines(&self, pk: &str, from: &str, limit: usize) -> QueryFluentBuilder {
        self.query_between(pk, text(from), "log0").limit(i32::try_from(limit).unwrap_or(i32::MAX))
    }

    /// Forgets that a record was marked, since the record of this key is another from now on, or expires at another
    /// time.
    pub(super) fn forget_mark(&self, key: &RecordKey) {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        marked.take_if(|(marked, _)| marked == key);
    }

    /// Is true of the record that was last marked.
    pub(super) fn is_marked(&self, key: &RecordKey) -> bool {
        let marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        marked.as_ref().is_some_and(|(marked, _)| marked == key)
    }

    /// Says on the record that items stand beside it, so that they expire with it, and gives its expiry. That is no new
    /// version.
    async fn mark_overflow(&self, record: &RecordKey) -> PortResult<Option<i64>> {
        if let Some((marked, expires_at_s)) = &*self.marked.lock().unwrap_or_else(PoisonError::into_inner)
            && marked == record
        {
            return Ok(*expires_at_s);
        }
        let pk = record.to_string();
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key(&*pk, RECORD)))
            .update_expression("SET #overflow = :true")
            .condition_expression("attribute_exists(#pk) AND attribute_not_exists(#overflow)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#overflow", HAS_OVERFLOW)
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let expires_at_s = match update.send().await {
            Ok(reply) => reply.attributes().and_then(|item| number_of(item, EXPIRES_AT_S)),
            Err(error) => match lost_to(&error) {
                // It is marked already, or not there.
                Some(found) => found.and_then(|item| number_of(item, EXPIRES_AT_S)),
                None => return Err(self.failed(Operation::of("add to the log of", &pk), error)),
            },
        };
        *self.marked.lock().unwrap_or_else(PoisonError::into_inner) = Some((record.clone(), expires_at_s));
        Ok(expires_at_s)
    }
}

fn write_line(pk: &str, line: &LogLine, expires_at_s: i64) -> PortResult<WriteRequest> {
    let mut item = key(pk, format!("{LOG}{}", line.sort));
    item.insert(DOCUMENT.to_owned(), text(line.document.text()));
    item.insert(EXPIRES_AT_S.to_owned(), number(expires_at_s));
    let put = PutRequest::builder()
        .set_item(Some(item))
        .build()
        .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to write a log entry").caused_by(error))?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn read_line(item: &Item) -> PortResult<Option<LogLine>> {
    let sort = text_of(item, SK).and_then(|sk| sk.strip_prefix(LOG));
    let (Some(sort), Some(document)) = (sort, item.get(DOCUMENT)) else { return Ok(None) };
    Ok(Some(LogLine { sort: sort.to_owned(), document: item::read_json(document)? }))
}
