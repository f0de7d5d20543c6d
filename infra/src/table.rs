//! The records: one table, and the sparse indexes by which they are found.

use dacapo_domain::{Header, Index};
use serde_json::{Value, json};

use crate::{
    kms,
    names::{NEW_TABLE, prefix},
    resource::{Named, Resource},
};

pub(crate) fn add(resources: &mut Named<Resource>) {
    let index_keys = Index::ALL.into_iter().flat_map(|index| [index.name(), index.sort_name()]);
    let keys_of_all = ["pk", "sk"].into_iter().chain(index_keys);
    let attributes: Vec<Value> = keys_of_all.map(attribute).collect();
    // All are sparse and hold keys only: what never changes costs one write, and a page reads its items in one batch.
    let indexes: Vec<Value> = Index::ALL
        .into_iter()
        .map(|index| {
            json!({
                "IndexName": index.name(),
                "KeySchema": keys(index.name(), index.sort_name()),
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
                "TimeToLiveSpecification": { "AttributeName": Header::EXPIRES_AT_S, "Enabled": true },
                "SSESpecification": kms::of_table(),
                "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
            }),
        ),
    );
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
