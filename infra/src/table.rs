//! The history: one table, and the sparse indexes by which runs are found.

use serde_json::{Value, json};

use crate::{
    names::prefix,
    parameters::NEW_TABLE,
    template::{Named, Resource},
};

/// An index: its name, which is its partition key's too, and its sort key with its type.
struct Index {
    name: &'static str,
    sort: (&'static str, &'static str),
}

/// What is listed of a task, what must be looked at, what failed. All are sparse and hold keys only: what never changes
/// costs one write, and a page reads its items in one batch.
const INDEXES: [Index; 3] = [
    Index { name: "list", sort: ("pk", "S") },
    Index { name: "watch", sort: ("watchMs", "N") },
    Index { name: "failed", sort: ("pk", "S") },
];

pub(crate) fn add(resources: &mut Named<Resource>) {
    let mut attributes = vec![attribute("pk", "S"), attribute("sk", "S")];
    for index in &INDEXES {
        for (name, kind) in [(index.name, "S"), index.sort] {
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
                "KeySchema": keys(index.name, index.sort.0),
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
