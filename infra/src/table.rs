//! The history: one table, and the sparse indexes by which runs are found.

use serde_json::{Value, json};

use crate::{
    names::prefix,
    parameters::NEW_TABLE,
    template::{Named, Resource},
};

/// An index: its name, its keys with their types, and what it holds of an item.
struct Index {
    name: &'static str,
    partition: &'static str,
    sort: &'static str,
    sort_type: &'static str,
}

/// They hold keys only: what never changes costs one write, and a page reads its items in one batch.
const INDEXES: [Index; 3] = [
    Index { name: "list", partition: "list", sort: "id", sort_type: "S" },
    Index { name: "watch", partition: "watchShard", sort: "watchMs", sort_type: "N" },
    Index { name: "failed", partition: "failed", sort: "id", sort_type: "S" },
];

pub(crate) fn add(resources: &mut Named<Resource>) {
    let mut attributes = vec![attribute("pk", "S"), attribute("sk", "S")];
    for index in &INDEXES {
        for (name, kind) in [(index.partition, "S"), (index.sort, index.sort_type)] {
            let attribute = attribute(name, kind);
            if !attributes.contains(&attribute) {
                attributes.push(attribute);
            }
        }
    }
    let indexes: Vec<Value> = INDEXES
        .iter()
        .map(|index| {
            json!({
                "IndexName": index.name,
                "KeySchema": keys(index.partition, index.sort),
                "Projection": { "ProjectionType": "KEYS_ONLY" },
            })
        })
        .collect();
    resources.add(
        "Table",
        Resource::retained(
            "AWS::DynamoDB::Table",
            NEW_TABLE,
            json!({
                "TableName": prefix(),
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": attributes,
                "KeySchema": keys("pk", "sk"),
                "GlobalSecondaryIndexes": indexes,
                "TimeToLiveSpecification": { "AttributeName": "ttl", "Enabled": true },
                "SSESpecification": { "SSEEnabled": true },
                "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
            }),
        ),
    );
}

/// The names of the indexes.
pub(crate) fn index_names() -> impl Iterator<Item = &'static str> {
    INDEXES.iter().map(|index| index.name)
}

fn attribute(name: &str, kind: &str) -> Value {
    json!({ "AttributeName": name, "AttributeType": kind })
}

fn keys(partition: &str, sort: &str) -> Value {
    json!([
        { "AttributeName": partition, "KeyType": "HASH" },
        { "AttributeName": sort, "KeyType": "RANGE" },
    ])
}
