//! DynamoDB's bill for a write: a unit for each KB begun, and one for each index entry that is made or removed.

use dacapo_domain::Index;
use serde_json::{Map, Value};

/// An item as DynamoDB's JSON has it: each value under the name of its type.
pub type Item = Map<String, Value>;

const UNIT_BYTES: usize = 1024;

/// The units of a write that made one item of another.
pub fn of_write(before: &Item, after: &Item) -> usize {
    let table = bytes(before).max(bytes(after)).div_ceil(UNIT_BYTES).max(1);
    // An index holds keys only, so it is written only when its keys change.
    let indexes: usize = Index::ALL
        .into_iter()
        .map(|index| {
            let (before, after) = (entry(before, index), entry(after, index));
            if before == after { 0 } else { usize::from(before.is_some()) + usize::from(after.is_some()) }
        })
        .sum();
    table + indexes
}

/// An index's entry; there is none where a key is missing.
fn entry(item: &Item, index: Index) -> Option<[&Value; 2]> {
    Some([item.get(index.name())?, item.get(&format!("{}Sort", index.name()))?])
}

/// The weight of an item, names included.
pub fn bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + of_value(value)).sum()
}

fn of_value(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return 1 };
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(number)) => number.len().div_ceil(2) + 1,
        ("M", Value::Object(map)) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + of_value(value)).sum::<usize>()
        }
        ("L", Value::Array(list)) => 3 + list.iter().map(|value| 1 + of_value(value)).sum::<usize>(),
        _ => 1,
    }
}
