//! Attributes of items: their names, and their values in and out.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use dacapo_domain::{Header, RecordKey};

/// An item as the service takes and gives it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The partition key: `{kind}/{id}`.
pub(super) const PK: &str = "pk";
/// The sort key: a record's own, or that of one of the items that overflow from it.
pub(super) const SK: &str = "sk";
/// The name of the last write, 16 hexadecimal digits.
pub(super) const VERSION: &str = "version";
/// The document of a record or of a log line, or a payload: JSON text.
pub(super) const DOCUMENT: &str = "doc";
/// The time at which an item may be deleted, in Unix seconds: the table's time to live.
pub(super) const EXPIRES_AT_S: &str = Header::EXPIRES_AT_S;
/// The mark of a record from which items overflow, so that they expire with it.
pub(super) const HAS_OVERFLOW: &str = "overflow";
/// The mark of a record whose places in an index are more than one: what they are.
pub(super) const PLACES: &str = "places";
/// The beginning of the name of an attribute that holds a payload.
pub(super) const INLINE_PREFIX: &str = "p.";
/// The beginning of the name of an attribute that holds a set.
pub(super) const SET_PREFIX: &str = "s.";
/// The beginning of the name of an attribute that names the item of a payload stored apart.
pub(super) const OVERFLOW_PREFIX: &str = "a.";

/// The number of items that hold a payload together, where one is too small.
pub(super) const PARTS: &str = "parts";

/// The sort key of a record.
pub(crate) const RECORD: &str = "record";
/// The beginning of the sort key of a record beside another.
pub(super) const OWNED: &str = "record/";
/// The beginning of the sort key of a payload that is stored apart.
pub(super) const PAYLOAD: &str = "payload/";
/// The beginning of the sort key of a place in an index beyond the record's first.
pub(super) const PLACE: &str = "place/";
/// The beginning of the sort key of a log line.
pub(super) const LOG: &str = "log/";

/// The partition of a record: its owner's, where it stands beside another.
pub(super) fn partition(key: &RecordKey) -> String {
    key.owner.clone().unwrap_or_else(|| key.to_string())
}

/// The sort key of a record.
pub(super) fn sort(key: &RecordKey) -> String {
    if key.owner.is_some() { format!("{OWNED}{}/{}", key.kind, key.id) } else { RECORD.to_owned() }
}

/// The key of a record's item.
pub(super) fn key_of(of: &RecordKey) -> Item {
    key(partition(of), sort(of))
}

/// The key of the record of an item.
pub(super) fn record_key(pk: &str, sk: &str) -> Option<RecordKey> {
    match sk.strip_prefix(OWNED) {
        Some(own) => RecordKey::from_text(own).map(|key| key.owned_by(pk)),
        None => RecordKey::from_text(pk),
    }
}

/// An item's key.
pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))])
}

/// A text attribute.
pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(super) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An item's text attribute.
pub(super) fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// An item's number attribute.
pub(super) fn number_of(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// Is true of an item that has expired, although the service may not have deleted it yet.
pub(super) fn is_expired(item: &Item, now_s: i64) -> bool {
    number_of(item, EXPIRES_AT_S).is_some_and(|expires_at_s| expires_at_s <= now_s)
}

/// The weight of an item, as the service counts it: writes are paid by the KB, names included.
pub(super) fn bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // Two digits a byte and one for the sign and the point; a byte more where zeroes would be trimmed.
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + value_bytes(value)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + value_bytes(value)).sum::<usize>()
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_weighs_what_the_service_counts() {
        let nested = HashMap::from([("b".to_owned(), number(12))]);
        let item = HashMap::from([
            ("pk".to_owned(), text("ü")),
            ("n".to_owned(), number(12345)),
            ("t".to_owned(), AttributeValue::Bool(true)),
            ("m".to_owned(), AttributeValue::M(nested)),
        ]);
        assert_eq!(bytes(&item), (2 + 2) + (1 + 4) + (1 + 1) + (1 + 3 + 1 + 1 + 2));
    }
}
