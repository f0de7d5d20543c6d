//! The history: one table, and the sparse indexes by which runs are found.

use serde_json::{Value, json};

use crate::{
    names::{INDEXES, WATCH_INDEX, prefix},
    parameters::NEW_TABLE,
    resource::{Named, Resource},
};

pub(crate) fn add(resources: &mut Named<Resource>) {
    let mut attributes = vec![attribute("pk", "S"), attribute("sk", "S")];
    for index in INDEXES {
        for (name, kind) in [(index, "S"), sort_key(index)] {
            let attribute = attribute(name, kind);
            if !attributes.contains(&attribute) {
                attributes.push(attribute);
            }
        }
    }
    // All are sparse and hold keys only: what never changes costs one write, and a page reads its items in one batch.
    let indexes: Vec<Value> = INDEXES
        .into_iter()
        .map(|index| {
            json!({
                "IndexName": index,
                "KeySchema": keys(index, sort_key(index).0),
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

/// The sort key of an index, and its type.
fn sort_key(index: &str) -> (&'static str, &'static str) {
    if index == WATCH_INDEX { ("watchMs", "N") } else { ("pk", "S") }
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
