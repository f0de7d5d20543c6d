//! The parameters by which a stage is watched and kept: each has a default, and none must be given.

use serde_json::{Value, json};

use crate::resource::Named;

/// The condition under which alarms tell a topic that is given.
pub(crate) const HAS_ALARM_TOPIC: &str = "HasAlarmTopic";
/// The condition under which alarms tell an e-mail address, by a topic of the stack's own.
pub(crate) const HAS_ALARM_EMAIL: &str = "HasAlarmEmail";
/// The condition under which functions write metrics.
pub(crate) const HAS_METRICS: &str = "HasMetrics";
/// The condition under which the stack has a dashboard.
pub(crate) const HAS_DASHBOARD: &str = "HasDashboard";
/// The condition under which a key of the user's encrypts table, queues and logs.
pub(crate) const HAS_KMS_KEY: &str = "HasKmsKey";

/// The threshold of the alarm of dead letters.
pub(crate) const DEAD_LETTERS: &str = "AlarmDeadLetters";
/// The threshold of the alarm of failing runs.
pub(crate) const FAILED_RUNS: &str = "AlarmFailedRuns";
/// The threshold of the alarm of old messages, in seconds.
pub(crate) const OLDEST_MESSAGE_S: &str = "AlarmOldestMessageSeconds";
/// The threshold of the alarm of throttled invocations.
pub(crate) const THROTTLES: &str = "AlarmThrottles";

/// Adds the parameters.
pub(crate) fn add_parameters(parameters: &mut Named<Value>) {
    text(parameters, "AlarmTopic", "", "ARN of an SNS topic that alarms tell; none by default.");
    text(parameters, "AlarmEmail", "", "An e-mail address that alarms tell, unless there is a topic; none by default.");
    number(parameters, DEAD_LETTERS, 1, "Dead letters of one function that alarm.");
    number(parameters, FAILED_RUNS, 10, "Runs that fail within five minutes that alarm.");
    // Above a task's visibility timeout and one run of it, so that a single crash, which the conductor repairs, causes
    // no alarm.
    number(parameters, OLDEST_MESSAGE_S, 3 * 3_600, "The age of a message in a function's queue that alarms.");
    number(parameters, THROTTLES, 10, "Invocations of the region that are throttled within five minutes that alarm.");
    switch(parameters, "Metrics", "on", "Whether functions write metrics, as lines of their log.");
    switch(parameters, "Dashboard", "off", "Whether the stack has a dashboard of CloudWatch.");
    let what = "ARN of a KMS key of yours that encrypts table, queues and logs; AWS's own by default.";
    let pattern = "^(arn:[^: ]+:kms:[^: ]+:[0-9]{12}:key/[0-9a-zA-Z-]+)?$";
    parameters
        .add("KmsKey", json!({ "Type": "String", "Default": "", "AllowedPattern": pattern, "Description": what }));
}

/// Adds the conditions made of them.
pub(crate) fn add_conditions(conditions: &mut Named<Value>) {
    let is = |name: &str, value: &str| json!({ "Fn::Equals": [{ "Ref": name }, value] });
    let is_given = |name: &str| json!({ "Fn::Not": [is(name, "")] });
    conditions.add(HAS_ALARM_TOPIC, is_given("AlarmTopic"));
    conditions.add(HAS_ALARM_EMAIL, json!({ "Fn::And": [is("AlarmTopic", ""), is_given("AlarmEmail")] }));
    conditions.add(HAS_METRICS, is("Metrics", "on"));
    conditions.add(HAS_DASHBOARD, is("Dashboard", "on"));
    conditions.add(HAS_KMS_KEY, is_given("KmsKey"));
}

fn text(parameters: &mut Named<Value>, name: &str, default: &str, what: &str) {
    parameters.add(name, json!({ "Type": "String", "Default": default, "Description": what }));
}

fn number(parameters: &mut Named<Value>, name: &str, default: u32, what: &str) {
    parameters.add(name, json!({ "Type": "Number", "Default": default, "MinValue": 1, "Description": what }));
}

fn switch(parameters: &mut Named<Value>, name: &str, default: &str, what: &str) {
    let values = ["off", "on"];
    let parameter = json!({ "Type": "String", "Default": default, "AllowedValues": values, "Description": what });
    parameters.add(name, parameter);
}
