//! The parameters, by which stages differ, the conditions made of them, and the outputs that a deploy reads afterwards.

use dacapo_domain::{
    FunctionEntry, Manifest,
    limits::{APP_CHARS, STAGE_CHARS},
};
use serde_json::{Value, json};

use crate::{
    names::{arn, id, prefix},
    resource::Named,
};

/// The condition under which the stack makes the table, instead of adopting one that an earlier stack left.
pub(crate) const NEW_TABLE: &str = "NewTable";
/// The same condition for the state machine.
pub(crate) const NEW_LOOP: &str = "NewLoop";
/// The condition under which alarms tell a topic.
pub(crate) const HAS_ALARM_TOPIC: &str = "HasAlarmTopic";

/// The parameter that says where a function's code is in the bucket of artifacts.
#[must_use]
pub fn code_parameter(function: &FunctionEntry) -> String {
    id(&function.name, "Code")
}

pub(crate) fn parameters(manifest: &Manifest) -> Named<Value> {
    const PLAIN: &str = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";
    let mut parameters = Named::new();
    parameters.add(
        "App",
        json!({ "Type": "String", "Default": manifest.app, "AllowedPattern": PLAIN, "MaxLength": APP_CHARS }),
    );
    parameters.add("Stage", json!({ "Type": "String", "AllowedPattern": PLAIN, "MaxLength": STAGE_CHARS }));
    parameters
        .add("Architecture", json!({ "Type": "String", "Default": "arm64", "AllowedValues": ["arm64", "x86_64"] }));
    parameters
        .add("Artifacts", json!({ "Type": "String", "Description": "The bucket that holds the functions' code." }));
    for function in &manifest.functions {
        let what = format!("Where {}'s code is in the bucket: a key that names its content.", function.name);
        parameters.add(code_parameter(function), json!({ "Type": "String", "Description": what }));
    }
    parameters.add("LogRetentionDays", json!({ "Type": "Number", "Default": 30 }));
    parameters.add(
        "AlarmTopic",
        json!({ "Type": "String", "Default": "", "Description": "ARN of an SNS topic that alarms tell; none by default." }),
    );
    for (name, what) in [("AdoptTable", "history"), ("AdoptLoop", "state machine")] {
        let what = format!("Whether the {what} of an earlier stack is there and is taken over.");
        let values = ["true", "false"];
        parameters
            .add(name, json!({ "Type": "String", "Default": "false", "AllowedValues": values, "Description": what }));
    }
    parameters
}

pub(crate) fn conditions() -> Named<Value> {
    let mut conditions = Named::new();
    conditions.add(NEW_TABLE, json!({ "Fn::Equals": [{ "Ref": "AdoptTable" }, "false"] }));
    conditions.add(NEW_LOOP, json!({ "Fn::Equals": [{ "Ref": "AdoptLoop" }, "false"] }));
    conditions.add(HAS_ALARM_TOPIC, json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": "AlarmTopic" }, ""] }] }));
    conditions
}

pub(crate) fn outputs() -> Named<Value> {
    let mut outputs = Named::new();
    outputs.add("Table", json!({ "Value": prefix() }));
    outputs.add("Loop", json!({ "Value": arn("states", "stateMachine:", "-loop") }));
    outputs.add("LoopRole", json!({ "Value": { "Fn::GetAtt": ["RoleOfLoop", "Arn"] } }));
    outputs
}
