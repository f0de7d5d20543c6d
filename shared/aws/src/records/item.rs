//! Records as items.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use aws_sdk_dynamodb::types::AttributeValue;
use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::{Header, Json, Payloads, StoredRecord, Version, Write};

use super::{
    attribute::{
        DOCUMENT, EXPIRES_AT_S, INLINE_PREFIX, Item, OVERFLOW_PREFIX, PK, SET_PREFIX, SK, VERSION, key_of, number,
        number_of, record_key, text, text_of,
    },
    index,
};

/// A write's record without its payloads.
pub(super) fn of_write(write: &Write) -> Item {
    let Header { key: of, version, reconcile_at: _, expires_at_s } = &write.header;
    let mut item = index::attributes(&write.index, &of.to_string());
    item.insert(VERSION.to_owned(), text(version.to_string()));
    item.insert(DOCUMENT.to_owned(), text(write.document.text()));
    item.extend(expires_at_s.map(|expires_at_s| (EXPIRES_AT_S.to_owned(), number(expires_at_s))));
    item.extend(key_of(of));
    item
}

/// A record as it stands in its item: payloads apart are named and not read.
pub(super) fn read(item: &Item) -> PortResult<StoredRecord> {
    let (pk, sk) = (text_of(item, PK).unwrap_or_default(), text_of(item, SK).unwrap_or_default());
    let version = text_of(item, VERSION).and_then(|text| u64::from_str_radix(text, 16).ok());
    let (Some(key), Some(version), Some(document)) = (record_key(pk, sk), version, item.get(DOCUMENT)) else {
        let message = format!("failed to read the item {pk:?} (was it written by another version?)");
        return Err(PortError::new(PortErrorKind::Refused, message));
    };
    let (reconcile_at, expires_at_s) = (index::reconcile_at(item), number_of(item, EXPIRES_AT_S));
    let header = Header { key, version: Version(version), reconcile_at, expires_at_s };
    Ok(StoredRecord { header, document: read_json(document)?, payloads: read_payloads(item)? })
}

/// The payloads of an item by name: values that are inline, sets, and the names of those apart.
pub(super) fn read_payloads(item: &Item) -> PortResult<Payloads> {
    let mut found = BTreeMap::new();
    for (name, value) in item {
        if let Some(slot) = name.strip_prefix(INLINE_PREFIX) {
            found.insert(slot, Some(read_json(value)?));
        } else if let Some(slot) = name.strip_prefix(SET_PREFIX) {
            found.insert(slot, Some(read_set(value)?));
        } else if let Some(slot) = name.strip_prefix(OVERFLOW_PREFIX) {
            found.insert(slot, None);
        }
    }
    let mut payloads = Payloads::none();
    for (slot, value) in found {
        payloads.set(Cow::Owned(slot.to_owned()), value);
    }
    Ok(payloads)
}

/// The payloads that are stored apart, each with the sort key of its item.
pub(super) fn apart(item: &Item) -> impl Iterator<Item = (&str, &str)> {
    item.iter().filter_map(|(name, value)| Some((name.strip_prefix(OVERFLOW_PREFIX)?, value.as_s().ok()?.as_str())))
}

/// Is true of the record that a write stores: a write is known by its version.
pub(super) fn is_of(item: &Item, write: &Write) -> bool {
    is_at(item, write.header.version)
}

/// Is true of the record of this version.
pub(super) fn is_at(item: &Item, version: Version) -> bool {
    text_of(item, VERSION) == Some(&version.to_string())
}

/// An attribute that is JSON text.
pub(super) fn read_json(value: &AttributeValue) -> PortResult<Json> {
    let AttributeValue::S(json) = value else {
        return Err(PortError::new(PortErrorKind::Refused, "failed to read JSON: it is no text"));
    };
    Json::from_text(json.as_str())
        .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to read JSON").caused_by(error))
}

/// An attribute that is a set of texts, in their order.
fn read_set(value: &AttributeValue) -> PortResult<Json> {
    let texts: BTreeSet<&String> = value.as_ss().map(|texts| texts.iter().collect()).unwrap_or_default();
    Json::of(&texts).map_err(|error| PortError::new(PortErrorKind::Refused, "failed to read a set").caused_by(error))
}

#[cfg(test)]
mod tests {
    use dacapo_domain::{IndexEntry, Payload, RecordKey};

    use super::*;
    use crate::records::attribute::{RECORD, key};

    fn write() -> Write {
        let (key, reconcile_at) = (RecordKey::new("sheep", "dolly/2"), "2026-11-21T19:00:00.123Z".parse().unwrap());
        Write {
            header: Header {
                key,
                version: Version(7),
                reconcile_at: Some(reconcile_at),
                expires_at_s: Some(1_795_287_601),
            },
            document: Json::from_text(r#"{"wool":1.10000000000000000000001}"#).unwrap(),
            payloads: Payloads::none(),
            index: vec![IndexEntry::reconcile(reconcile_at, IndexEntry::OTHERS)],
            expiry_beside_s: None,
            effects: vec![],
        }
    }

    #[test]
    fn record_is_read_as_it_was_written() {
        let write = write();
        let stored = read(&of_write(&write)).unwrap();
        assert_eq!((&stored.header, &stored.document), (&write.header, &write.document));
        assert!(stored.payloads.is_empty());
    }

    #[test]
    fn record_beside_another_is_in_its_partition() {
        let mut write = write();
        write.header.key = RecordKey::new("lamb", "of/dolly").owned_by("sheep/dolly");
        let item = of_write(&write);
        assert_eq!((text_of(&item, PK), text_of(&item, SK)), (Some("sheep/dolly"), Some("record/lamb/of/dolly")));
        assert_eq!(read(&item).unwrap().header, write.header);
    }

    #[test]
    fn payload_keeps_its_digits() {
        let mut item = of_write(&write());
        item.insert("p.body".to_owned(), text(r#"{"n":1.10000000000000000000001}"#));
        item.insert("a.result".to_owned(), text("payload/result/0000000000000007"));
        let payloads = read(&item).unwrap().payloads;
        let body = Json::from_text(r#"{"n":1.10000000000000000000001}"#).unwrap();
        assert_eq!((payloads.get("body"), payloads.get("result")), (Payload::Here(&body), Payload::Apart));
    }

    #[test]
    fn item_of_another_form_is_refused_by_name() {
        let error = read(&key("sheep/dolly", RECORD)).unwrap_err();
        assert_eq!(error.kind(), PortErrorKind::Refused);
        assert_eq!(error.to_string(), "failed to read the item \"sheep/dolly\" (was it written by another version?)");
    }
}
