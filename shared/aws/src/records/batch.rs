//! Many items in one call. The service may leave some out, which are asked for or sent again.

use std::time::Duration;

use aws_sdk_dynamodb::types::{KeysAndAttributes, WriteRequest};
use dacapo_core::port::{PortError, PortErrorKind, PortResult};

use super::{DynamoRecords, attribute::Item};
use crate::error::Operation;

/// Items of one call that reads, at most.
const READS: usize = 100;
/// Items of one call that writes, at most.
const WRITES: usize = 25;
/// The pause before what a call left out is tried again, at first, and how often it is.
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: u32 = 6;

impl DynamoRecords {
    /// Reads items, strongly consistent, in any order.
    pub(super) async fn read_all(&self, operation: Operation<'_>, keys: &[Item]) -> PortResult<Vec<Item>> {
        let mut items = vec![];
        for batch in keys.chunks(READS) {
            items.extend(self.read_batch(operation, batch.to_vec()).await?);
        }
        Ok(items)
    }

    /// Writes items.
    pub(super) async fn write_all(&self, operation: Operation<'_>, writes: Vec<WriteRequest>) -> PortResult<()> {
        for batch in writes.chunks(WRITES) {
            self.write_batch(operation, batch.to_vec()).await?;
        }
        Ok(())
    }

    async fn read_batch(&self, operation: Operation<'_>, mut keys: Vec<Item>) -> PortResult<Vec<Item>> {
        let mut items = vec![];
        for attempt in 0..TRIES {
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let wanted = wanted.map_err(|error| {
                PortError::new(PortErrorKind::Refused, "failed to describe a batch of keys").caused_by(error)
            })?;
            let reply = self.client.batch_get_item().request_items(self.table(), wanted).send().await;
            let mut reply = reply.map_err(|error| self.failed(operation, error))?;
            items.extend(reply.responses.take().and_then(|mut tables| tables.remove(self.table())).unwrap_or_default());
            let left = reply.unprocessed_keys.take().and_then(|mut tables| tables.remove(self.table()));
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(items);
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await;
        }
        Err(left_out(operation, keys.len()))
    }

    async fn write_batch(&self, operation: Operation<'_>, mut writes: Vec<WriteRequest>) -> PortResult<()> {
        for attempt in 0..TRIES {
            let reply = self.client.batch_write_item().request_items(self.table(), writes).send().await;
            let mut reply = reply.map_err(|error| self.failed(operation, error))?;
            writes =
                reply.unprocessed_items.take().and_then(|mut tables| tables.remove(self.table())).unwrap_or_default();
            if writes.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await;
        }
        Err(left_out(operation, writes.len()))
    }
}

fn left_out(operation: Operation<'_>, items: usize) -> PortError {
    let message = format!("failed to {operation}: {items} were left out again and again (throttled)");
    PortError::new(PortErrorKind::Transient, message)
}
