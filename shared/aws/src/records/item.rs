//! Records as items, and what an item weighs.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use dacapo::port::{PortError, PortErrorKind, PortResult, Stored};
use dacapo_domain::{Delivery, Id, Json, Run};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Item,
    index::{self, Indexed},
};

/// The partition key.
pub(super) const PK: &str = "pk";
/// The sort key.
pub(super) const SK: &str = "sk";
/// When an item may be deleted, in Unix seconds.
pub(super) const TTL: &str = "ttl";
/// Names the last write.
pub(super) const VERSION: &str = "version";
/// The sort key of a run.
pub(super) const RUN: &str = "run";
/// The sort key of a delivery.
pub(super) const DELIVERY: &str = "delivery";

/// The partition of a run's items.
pub(super) fn run_pk(id: Id) -> String {
    format!("run/{id}")
}

/// The partition of a delivery's items.
pub(super) fn delivery_pk(key: &str) -> String {
    format!("delivery/{key}")
}

/// An item's key.
pub(super) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
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

/// Whether an item has expired although the service may not have deleted it yet.
pub(super) fn is_gone(item: &Item, now_s: i64) -> bool {
    number_of(item, TTL).is_some_and(|ttl| ttl <= now_s)
}

/// A run without its payloads: each field an attribute, and what the indexes need.
pub(super) fn of_run(run: &Run) -> PortResult<Item> {
    let shard = format!("{}/{}", run.name, index::list_shard(&run.id.to_string()));
    let mut item = of_record(run, key(run_pk(run.id), RUN))?;
    index::watched(&mut item, &run_pk(run.id), run.watch_at);
    if run.state == dacapo_domain::State::Failed {
        item.insert(Indexed::Failed.partition().to_owned(), text(shard.clone()));
    }
    item.insert(Indexed::List.partition().to_owned(), text(shard));
    Ok(item)
}

/// A delivery without its event's body.
pub(super) fn of_delivery(delivery: &Delivery) -> PortResult<Item> {
    let pk = delivery_pk(&delivery.key());
    let mut item = of_record(delivery, key(pk.clone(), DELIVERY))?;
    index::watched(&mut item, &pk, delivery.watch_at);
    Ok(item)
}

fn of_record(record: &impl Serialize, key: Item) -> PortResult<Item> {
    let mut item: Item = serde_dynamo::to_item(record).map_err(|error| {
        PortError::new(PortErrorKind::Refused, "failed to write the record as an item").caused_by(error)
    })?;
    item.extend(key);
    Ok(item)
}

/// Reads a record; attributes that are none of its fields are passed over.
pub(super) fn read<T: DeserializeOwned>(item: Item) -> PortResult<T> {
    let name = text_of(&item, PK).unwrap_or_default().to_owned();
    serde_dynamo::from_item(item).map_err(|error| {
        let message = format!("failed to read the item {name:?} (was it written by another version?): {error}");
        PortError::new(PortErrorKind::Refused, message).caused_by(error)
    })
}

/// Reads a run with the payloads that are stored in its item.
pub(super) fn read_run(mut item: Item) -> PortResult<Stored> {
    let mut payload = |name| item.remove(name).map(read_json).transpose();
    let (body, input, result) = (payload("body")?, payload("input")?, payload("result")?);
    Ok(Stored { run: read(item)?, body, input, result })
}

/// Reads an attribute that is JSON text.
pub(super) fn read_json(value: AttributeValue) -> PortResult<Json> {
    let AttributeValue::S(json) = value else {
        return Err(PortError::new(PortErrorKind::Refused, "failed to read a payload: it is no text"));
    };
    Json::from_text(json)
        .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to read a payload").caused_by(error))
}

/// What an item weighs, as the service counts it: writes are paid by the KB, names included.
pub(super) fn bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // Two digits a byte and one for the sign and the point; a byte more where zeroes would be trimmed.
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(blob) => blob.as_ref().len(),
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
    use crate::store::samples;

    #[test]
    fn a_run_is_read_as_it_was_written() {
        for run in samples::runs() {
            let item = of_run(&run).unwrap();
            assert_eq!(read_run(item).unwrap().run, run);
        }
    }

    #[test]
    fn a_delivery_is_read_as_it_was_written() {
        let delivery = samples::delivery();
        assert_eq!(read::<Delivery>(of_delivery(&delivery).unwrap()).unwrap(), delivery);
    }

    #[test]
    fn a_payload_keeps_its_digits() {
        let mut item = of_run(&samples::run()).unwrap();
        item.insert("body".to_owned(), text(r#"{"n":1.10000000000000000000001}"#));
        assert_eq!(read_run(item).unwrap().body.unwrap().text(), r#"{"n":1.10000000000000000000001}"#);
    }

    #[test]
    fn an_ordinary_run_leaves_half_a_kilobyte_for_body_and_result() {
        let heaviest = samples::runs().iter().map(|run| bytes(&of_run(run).unwrap())).max().unwrap();
        let ordinary = bytes(&of_run(&samples::run()).unwrap());
        assert!(ordinary <= 512, "{ordinary} bytes");
        assert!(heaviest <= 1024, "{heaviest} bytes");
    }

    #[test]
    fn an_item_is_weighed_as_the_service_does() {
        let nested = HashMap::from([("b".to_owned(), number(12))]);
        let item = HashMap::from([
            ("pk".to_owned(), text("ü")),
            ("n".to_owned(), number(12345)),
            ("t".to_owned(), AttributeValue::Bool(true)),
            ("m".to_owned(), AttributeValue::M(nested)),
        ]);
        assert_eq!(bytes(&item), (2 + 2) + (1 + 4) + (1 + 1) + (1 + 3 + 1 + 1 + 2));
    }

    #[test]
    fn only_what_somebody_must_look_at_is_in_the_index_of_it() {
        let item = of_run(&samples::run()).unwrap();
        assert!(item.contains_key("watch") && item.contains_key("watchMs") && !item.contains_key("failed"));
        let item = of_run(&samples::failed()).unwrap();
        assert!(!item.contains_key("watch") && !item.contains_key("watchMs") && item.contains_key("failed"));
    }
}
