//! A run's log entries, each an item of its own that is only ever added.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use dacapo::port::{LogEntry, PortError, PortErrorKind, PortResult};
use dacapo_domain::Id;

use super::{
    DynamoStore,
    item::{PK, RUN, SK, TTL, is_gone, key, number, run_pk, text, text_of},
    payload::APART,
};
use crate::error::What;

/// Items of one batch, at most.
const BATCH: usize = 25;
/// The pause before items that a batch left out are sent again, at first, and how often they are.
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: u32 = 6;
/// The attribute that holds an entry, as JSON text.
const ENTRY: &str = "entry";
/// Entries end with their run. This is for those that nobody could tell so: the longest wait, and a month.
const LIFE_S: i64 = 386 * 86_400;

impl DynamoStore {
    pub(super) async fn add_logs(&self, id: Id, entries: &[LogEntry]) -> PortResult<()> {
        if entries.iter().any(|entry| entry.number == 1) {
            self.mark_apart(id).await?;
        }
        for batch in entries.chunks(BATCH) {
            let writes = batch.iter().map(|entry| self.write(id, entry)).collect::<PortResult<Vec<_>>>()?;
            self.write_batch(id, writes).await?;
        }
        Ok(())
    }

    pub(super) async fn read_logs(&self, id: Id, after: Option<&str>, limit: usize) -> PortResult<Vec<LogEntry>> {
        // A blank sorts behind the entry itself and before the next; '0' is the character behind '/'.
        let mut from = after.map_or_else(|| "log/".to_owned(), |after| format!("log/{after} "));
        let mut entries = vec![];
        while entries.len() < limit {
            let query = self
                .client
                .query()
                .table_name(self.table())
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":pk", text(run_pk(id)))
                .expression_attribute_values(":from", text(&*from))
                .expression_attribute_values(":to", text("log0"))
                .limit(i32::try_from(limit - entries.len()).unwrap_or(i32::MAX))
                .consistent_read(true);
            let reply = query.send().await.map_err(|error| self.failed(What::new("read the run's log"), error))?;
            for item in reply.items().iter().filter(|item| !is_gone(item, self.now_s())) {
                let entry = text_of(item, ENTRY).unwrap_or_default();
                entries.push(serde_json::from_str(entry).map_err(|error| {
                    PortError::new(PortErrorKind::Refused, "failed to read a log entry").caused_by(error)
                })?);
            }
            let Some(last) = reply.last_evaluated_key.as_ref().and_then(|last| text_of(last, SK)) else { break };
            from = format!("{last} ");
        }
        Ok(entries)
    }

    fn write(&self, id: Id, entry: &LogEntry) -> PortResult<WriteRequest> {
        let refused = |error: Box<dyn std::error::Error + Send + Sync>| {
            PortError::new(PortErrorKind::Refused, "failed to write a log entry").caused_by(error)
        };
        let json = serde_json::to_string(entry).map_err(|error| refused(error.into()))?;
        let mut item = key(run_pk(id), format!("log/{}", entry.key()));
        item.insert(ENTRY.to_owned(), text(json));
        item.insert(TTL.to_owned(), number(self.now_s() + LIFE_S));
        let put = PutRequest::builder().set_item(Some(item)).build().map_err(|error| refused(error.into()))?;
        Ok(WriteRequest::builder().put_request(put).build())
    }

    async fn write_batch(&self, id: Id, mut writes: Vec<WriteRequest>) -> PortResult<()> {
        for attempt in 0..TRIES {
            let reply = self.client.batch_write_item().request_items(self.table(), writes).send().await;
            let what = || What::new("add to the run's log");
            let mut reply = reply.map_err(|error| self.failed(what(), error))?;
            writes =
                reply.unprocessed_items.take().and_then(|mut tables| tables.remove(self.table())).unwrap_or_default();
            if writes.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await;
        }
        let message =
            format!("failed to add to the log of run {id}: {} entries were left out (throttled)", writes.len());
        Err(PortError::new(PortErrorKind::Transient, message))
    }

    /// Says on the record that items stand beside it, so that they end with it. That is no new version.
    async fn mark_apart(&self, id: Id) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key(run_pk(id), RUN)))
            .update_expression("SET #apart = :true")
            .condition_expression("attribute_exists(#pk) AND attribute_not_exists(#apart)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#apart", APART)
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(self.failed(What::new("add to the run's log"), error)),
        }
    }
}
