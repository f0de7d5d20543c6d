//! Payloads: in their record while it stays small, else items of their own; and the record read with all of them.

use std::borrow::Cow;

use aws_sdk_dynamodb::types::AttributeValue;
use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::{Json, RecordKey, StoredRecord, Write};
use futures::future::join_all;

use super::{
    DynamoRecords,
    attribute::{
        DOCUMENT, EXPIRES_AT_S, HAS_OVERFLOW, INLINE_PREFIX, Item, OVERFLOW_PREFIX, PARTS, PAYLOAD, bytes, is_expired,
        key, key_of, number, number_of, partition, sort, text, text_of,
    },
    item,
};
use crate::error::Operation;

/// The weight of a record up to which payloads go into it: it is written again and again, and each write is paid by the
/// KB.
const RECORD_BYTES: usize = 1_024;
/// The same for a record that stands beside another, and is written once or twice.
const OWNED_BYTES: usize = PART_BYTES;
/// Bytes of text in one item of a payload that is stored apart: an item has 409,600 at most, its key and names included.
const PART_BYTES: usize = 390_000;

/// A write's item with its payloads in place.
pub(super) struct Placed {
    pub(super) item: Item,
    /// The sort keys of the payloads that this write stored apart.
    pub(super) apart: Vec<String>,
}

impl DynamoRecords {
    /// Finds each payload of a write its place, in an item with these marks, and stores those apart that don't fit: of a
    /// new record, or one to be changed.
    ///
    /// Invariant: a payload apart is stored before its record, so that a crash in between leaves an item that no record
    /// names. Its sort key is the write's own, so that a write that loses changes nothing.
    ///
    /// # Errors
    /// If a payload was not read, before anything is stored; if one can't be stored.
    pub(super) async fn place(&self, write: &Write, marks: Item, is_new: bool) -> PortResult<Placed> {
        write
            .payloads
            .check_read()
            .map_err(|error| PortError::new(PortErrorKind::Refused, format!("failed to {error}")).caused_by(error))?;
        let mut placed = Placed { item: item::of_write(write), apart: vec![] };
        placed.item.extend(marks);
        if write.expiry_beside_s.is_some() {
            placed.item.insert(HAS_OVERFLOW.to_owned(), AttributeValue::Bool(true));
        }
        let most = if write.header.key.owner.is_some() { OWNED_BYTES } else { RECORD_BYTES };
        for (slot, json) in write.payloads.iter().filter_map(|(slot, json)| Some((slot, json?))) {
            let name = format!("{INLINE_PREFIX}{slot}");
            if bytes(&placed.item) + name.len() + json.bytes() <= most {
                placed.item.insert(name, text(json.text()));
                continue;
            }
            let sk = format!("{PAYLOAD}{slot}/{}", write.header.version);
            placed.item.insert(format!("{OVERFLOW_PREFIX}{slot}"), text(&*sk));
            placed.item.insert(HAS_OVERFLOW.to_owned(), AttributeValue::Bool(true));
            let expires_at_s = self.expiry_apart(write, is_new).await?;
            placed.apart.extend(self.put_apart(write, &sk, json, expires_at_s).await?);
        }
        Ok(placed)
    }

    /// Deletes the payloads of a write that was not stored, if they can be. Those that the found record names stay: it
    /// was this write's before it was written over.
    pub(super) async fn drop_apart(&self, write: &Write, apart: &[String], found: Option<&Item>) {
        let pk = partition(&write.header.key);
        let is_part_of =
            |sk: &str, named: &str| sk.strip_prefix(named).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let is_named =
            |sk: &String| found.is_some_and(|found| item::apart(found).any(|(_, named)| is_part_of(sk, named)));
        for sk in apart.iter().filter(|sk| !is_named(sk)) {
            let delete = self.client.delete_item().table_name(self.table()).set_key(Some(key(&*pk, &**sk)));
            if let Err(error) = delete.send().await {
                let error = self.failed(Operation::of("delete a payload of", &pk), error);
                tracing::debug!(%error, "an item that no record names stays");
            }
        }
    }

    /// The expiry of what is stored apart: that of its record, which was moved, it may be, where it stands beside another.
    async fn expiry_apart(&self, write: &Write, is_new: bool) -> PortResult<Option<i64>> {
        let (key, expires_at_s) = (&write.header.key, write.header.expires_at_s);
        if is_new || key.owner.is_none() {
            return Ok(expires_at_s);
        }
        let stands = self.get(&partition(key), &sort(key)).await?;
        Ok(stands.map_or(expires_at_s, |item| number_of(&item, EXPIRES_AT_S)))
    }

    /// Stores a payload in as many items as it takes, and gives their sort keys. The first says how many there are.
    async fn put_apart(
        &self,
        write: &Write,
        sk: &str,
        json: &Json,
        expires_at_s: Option<i64>,
    ) -> PortResult<Vec<String>> {
        let pk = partition(&write.header.key);
        let parts = parts(json.text());
        let keys: Vec<String> = (0..parts.len()).map(|part| part_key(sk, part)).collect();
        let puts = keys.iter().zip(&parts).map(|(sk, part)| {
            let mut item = key(&*pk, &**sk);
            item.insert(DOCUMENT.to_owned(), text(*part));
            item.extend(expires_at_s.map(|expires_at_s| (EXPIRES_AT_S.to_owned(), number(expires_at_s))));
            if parts.len() > 1 {
                item.insert(PARTS.to_owned(), AttributeValue::N(parts.len().to_string()));
            }
            self.client.put_item().table_name(self.table()).set_item(Some(item)).send()
        });
        for put in join_all(puts).await {
            put.map_err(|error| self.failed(Operation::of("store a payload of", &pk), error))?;
        }
        Ok(keys)
    }
}

/// The sort key of a part of a payload, counted from 0.
fn part_key(sk: &str, part: usize) -> String {
    if part == 0 { sk.to_owned() } else { format!("{sk}/{part:03}") }
}

/// A text in parts that fit into items; no character is cut.
fn parts(mut text: &str) -> Vec<&str> {
    let mut parts = vec![];
    while text.len() > PART_BYTES {
        let (part, rest) = text.split_at(text.floor_char_boundary(PART_BYTES));
        parts.push(part);
        text = rest;
    }
    parts.push(text);
    parts
}

impl DynamoRecords {
    pub(super) async fn load_record(&self, key: &RecordKey) -> PortResult<Option<StoredRecord>> {
        let pk = partition(key);
        let Some(found) = self.get(&pk, &sort(key)).await? else { return Ok(None) };
        let mut stored = item::read(&found)?;
        for (slot, sk) in item::apart(&found) {
            let json = self.read_apart(&pk, sk).await?;
            stored.payloads.set(Cow::Owned(slot.to_owned()), Some(json));
        }
        Ok(Some(stored))
    }

    pub(super) async fn peek_records(&self, keys: &[RecordKey]) -> PortResult<Vec<StoredRecord>> {
        let of: Vec<Item> = keys.iter().map(key_of).collect();
        let items = self.read_all(Operation::of("read", "records"), &of).await?;
        items.iter().filter(|item| !is_expired(item, self.now_s())).map(item::read).collect()
    }

    async fn read_apart(&self, pk: &str, sk: &str) -> PortResult<Json> {
        let gone = || PortError::new(PortErrorKind::Refused, format!("failed to read {sk:?} of {pk:?}: it is gone"));
        let first = self.get(pk, sk).await?.ok_or_else(gone)?;
        let Some(parts) = number_of(&first, PARTS) else {
            return item::read_json(first.get(DOCUMENT).ok_or_else(gone)?);
        };
        let rest = join_all((1..usize::try_from(parts).unwrap_or_default()).map(|part| async move {
            let part = part_key(sk, part);
            self.get(pk, &part).await
        }));
        let mut text = text_of(&first, DOCUMENT).unwrap_or_default().to_owned();
        for part in rest.await {
            text += text_of(&part?.ok_or_else(gone)?, DOCUMENT).unwrap_or_default();
        }
        item::read_json(&AttributeValue::S(text))
    }

    /// An item, strongly consistent, unless it has expired.
    async fn get(&self, pk: &str, sk: &str) -> PortResult<Option<Item>> {
        let get = self.client.get_item().table_name(self.table()).set_key(Some(key(pk, sk))).consistent_read(true);
        let reply = get.send().await.map_err(|error| self.failed(Operation::of("read", pk), error))?;
        Ok(reply.item.filter(|item| !is_expired(item, self.now_s())))
    }
}
