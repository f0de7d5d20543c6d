//! A KMS key of the user's, where one is given: it encrypts the table, the queues and the logs, and every role that the
//! stack makes may use it. What services need of it themselves, CloudWatch Logs and EventBridge, its own policy says.

use dacapo_domain::Manifest;
use serde_json::{Value, json};

use crate::{
    names::id,
    policy::{allow, document},
    resource::{Named, Resource},
    settings::HAS_KMS_KEY,
};

/// The time for which SQS keeps a data key, in seconds: each is a request to KMS.
const DATA_KEY_REUSE_S: u32 = 3_600;

fn key() -> Value {
    json!({ "Ref": "KmsKey" })
}

/// The key where there is one, else another value.
fn key_or(other: Value) -> Value {
    json!({ "Fn::If": [HAS_KMS_KEY, key(), other] })
}

fn none() -> Value {
    json!({ "Ref": "AWS::NoValue" })
}

/// The encryption of a table.
pub(crate) fn of_table() -> Value {
    let own = json!({ "SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": key() });
    json!({ "Fn::If": [HAS_KMS_KEY, own, { "SSEEnabled": true }] })
}

/// Lets a queue be encrypted.
pub(crate) fn encrypt_queue(properties: &mut Value) {
    properties["SqsManagedSseEnabled"] = json!({ "Fn::If": [HAS_KMS_KEY, false, true] });
    properties["KmsMasterKeyId"] = key_or(none());
    properties["KmsDataKeyReusePeriodSeconds"] = json!({ "Fn::If": [HAS_KMS_KEY, DATA_KEY_REUSE_S, none()] });
}

/// The encryption of a log group.
pub(crate) fn of_log() -> Value {
    key_or(none())
}

/// Adds the right to use the key, for the roles of all functions and of what sends to queues.
pub(crate) fn add(manifest: &Manifest, resources: &mut Named<Resource>) {
    let functions = manifest.functions.iter().map(|function| id(&function.name, "Role"));
    let roles: Vec<Value> =
        functions.chain(["RoleOfScheduler".to_owned()]).map(|role| json!({ "Ref": role })).collect();
    let statement = allow(&["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"], key());
    let properties = json!({
        "Description": "Uses the key that encrypts the app's table and queues.",
        "PolicyDocument": document(&[statement]),
        "Roles": roles,
    });
    resources.add("MayUseKey", Resource::conditional("AWS::IAM::ManagedPolicy", HAS_KMS_KEY, properties));
}
