//! Places of a record in an index beyond its first: an item has room for one place in each index, so that each of the
//! others is an item of its own beside the record, which holds nothing else and expires with it.
//!
//! Invariant: *a record is found at its places*. Those of a new record are stored before it, so that a crash in between
//! leaves an item that leads to no record. A save moves them after the record, which says at which places they are: one
//! that finds them elsewhere, since a process died in between, puts that right.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest},
};
use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::{IndexEntry, Write};

use super::{
    DynamoRecords,
    attribute::{EXPIRES_AT_S, HAS_OVERFLOW, Item, PLACE, PLACES, SK, VERSION, key, key_of, number, text, text_of},
    index::{self, fnv1a},
    save::lost_to,
};
use crate::error::Operation;

impl DynamoRecords {
    /// Stores the places of a new record that its item has no room for, and gives what the item says of them.
    ///
    /// # Errors
    /// `Refused` for a record that stands beside another; else what the service says.
    pub(super) async fn put_further(&self, write: &Write) -> PortResult<Item> {
        let further = items(write)?;
        if further.is_empty() {
            return Ok(Item::new());
        }
        let places = text(mark(&further));
        let puts = further.into_iter().map(put).collect::<PortResult<Vec<_>>>()?;
        self.write_all(Operation::of("store the places of", &write.header.key.to_string()), puts).await?;
        Ok(Item::from([(PLACES.to_owned(), places), (HAS_OVERFLOW.to_owned(), AttributeValue::Bool(true))]))
    }

    /// Moves the places of a record that was saved as this item, where they are others than before.
    pub(super) async fn move_further(&self, write: &Write, saved: &Item) -> PortResult<()> {
        let further = items(write)?;
        let wanted = Some(mark(&further)).filter(|_| !further.is_empty());
        if text_of(saved, PLACES) == wanted.as_deref() {
            return Ok(());
        }
        let pk = write.header.key.to_string();
        let former = self.further_of(&pk).await?;
        let kept: Vec<&str> = further.iter().filter_map(|item| text_of(item, SK)).collect();
        let gone = former.iter().filter(|sk| !kept.contains(&&***sk)).map(|sk| delete(&pk, sk));
        let mut writes = gone.collect::<PortResult<Vec<_>>>()?;
        for item in further {
            writes.push(put(item)?);
        }
        self.write_all(Operation::of("move the places of", &pk), writes).await?;
        self.note_places(write, wanted).await
    }

    /// The sort keys of a record's further places.
    async fn further_of(&self, pk: &str) -> PortResult<Vec<String>> {
        let query = self.query_between(pk, text(PLACE), "place0"); // '0' is the character behind '/'.
        let reply = query.send().await.map_err(|error| self.failed(Operation::of("list the places of", pk), error))?;
        Ok(reply.items().iter().filter_map(|item| text_of(item, SK)).map(ToOwned::to_owned).collect())
    }

    /// Says on the record where its further places are, unless it was saved again since.
    async fn note_places(&self, write: &Write, places: Option<String>) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_of(&write.header.key)))
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#places", PLACES)
            .expression_attribute_values(":version", text(write.header.version.to_string()));
        let update = match places {
            Some(places) => update
                .update_expression("SET #places = :places, #overflow = :true")
                .expression_attribute_names("#overflow", HAS_OVERFLOW)
                .expression_attribute_values(":places", text(places))
                .expression_attribute_values(":true", AttributeValue::Bool(true)),
            None => update.update_expression("REMOVE #places"),
        };
        match update.send().await {
            Err(error) if lost_to(&error).is_none() => {
                Err(self.failed(Operation::of("note the places of", &write.header.key.to_string()), error))
            }
            _ => Ok(()),
        }
    }
}

/// The places beyond the first of each index, as items.
fn items(write: &Write) -> PortResult<Vec<Item>> {
    let (of, pk) = (&write.header.key, write.header.key.to_string());
    let first = |n: usize, entry: &IndexEntry| write.index[..n].iter().all(|former| former.index != entry.index);
    let further = write.index.iter().enumerate().filter(|(n, entry)| !first(*n, entry)).map(|(_, entry)| entry);
    let mut items = vec![];
    for entry in further {
        if of.owner.is_some() {
            let text = format!("failed to write {of}: what stands beside a record has one place in an index at most");
            return Err(PortError::new(PortErrorKind::Refused, text));
        }
        let IndexEntry { index, partition, sort } = entry;
        let mut item = key(&*pk, format!("{PLACE}{}/{partition}/{sort}", index.name()));
        item.extend(index::attributes(std::slice::from_ref(entry), &pk));
        item.extend(write.header.expires_at_s.map(|expires_at_s| (EXPIRES_AT_S.to_owned(), number(expires_at_s))));
        items.push(item);
    }
    Ok(items)
}

/// A text that is the same for the same places.
fn mark(items: &[Item]) -> String {
    let mut names: Vec<&str> = items.iter().filter_map(|item| text_of(item, SK)).collect();
    names.sort_unstable();
    format!("{:016x}", fnv1a(&names.join("\n")))
}

fn put(item: Item) -> PortResult<WriteRequest> {
    let put = PutRequest::builder().set_item(Some(item)).build().map_err(undescribed)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn delete(pk: &str, sk: &str) -> PortResult<WriteRequest> {
    let delete = DeleteRequest::builder().set_key(Some(key(pk, sk))).build().map_err(undescribed)?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}

fn undescribed(error: BuildError) -> PortError {
    PortError::new(PortErrorKind::Refused, "failed to describe a place").caused_by(error)
}
