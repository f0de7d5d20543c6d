//! The records: one table, and the sparse indexes by which they are found.

use dacapo_domain::Index;
use serde_json::{Value, json};

use crate::{
    names::prefix,
    parameters::NEW_TABLE,
    template::{Named, Resource},
};

/// The attribute by which the table lets items expire.
const EXPIRES_AT_S: &str = "expiresAtS";

pub(crate) fn add(resources: &mut Named<Resource>) {
    let index_keys = Index::ALL.into_iter().flat_map(|index| [index.name().to_owned(), sort_key(index)]);
    let keys_of_all = ["pk".to_owned(), "sk".to_owned()].into_iter().chain(index_keys);
    let attributes: Vec<Value> = keys_of_all.map(|name| attribute(&name)).collect();
    // All are sparse and hold keys only: what never changes costs one write, and a page reads its items in one batch.
    let indexes: Vec<Value> = Index::ALL
        .into_iter()
        .map(|index| {
            json!({
                "IndexName": index.name(),
                "KeySchema": keys(index.name(), &sort_key(index)),
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
                "TimeToLiveSpecification": { "AttributeName": EXPIRES_AT_S, "Enabled": true },
                "SSESpecification": { "SSEEnabled": true },
                "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
            }),
        ),
    );
}

/// The names of the indexes.
pub(crate) fn index_names() -> impl Iterator<Item = &'static str> {
    Index::ALL.into_iter().map(Index::name)
}

/// The sort key of an index; its partition key has its own name.
fn sort_key(index: Index) -> String {
    format!("{}Sort", index.name())
}

fn attribute(name: &str) -> Value {
    json!({ "AttributeName": name, "AttributeType": "S" })
}

fn keys(partition: &str, sort: &str) -> Value {
    json!([
        { "AttributeName": partition, "KeyType": "HASH" },
        { "AttributeName": sort, "KeyType": "RANGE" },
    ])
}
