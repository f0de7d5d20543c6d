//! A queue for each function, a dead-letter queue where one is asked for, and the app's beneath all of them.

use std::collections::BTreeSet;

use dacapo_domain::{FunctionEntry, Holds, Manifest};
use serde_json::{Value, json};

use crate::{
    names::{APP_DLQ, APP_DLQ_ID, function_dlq, function_dlqs, function_queues, id, name},
    resource::{Named, Resource, TemplateError},
};

/// The longest retention that SQS allows.
const FOURTEEN_DAYS_S: u32 = 14 * 86_400;
/// The visibility timeout of a task's messages: six times the longest timeout, as AWS advises, and the
/// same for every task, so that a timeout that is raised never meets a queue whose visibility is too short for it.
const TASK_VISIBILITY_S: u32 = 6 * 900;
/// The visibility timeout of events: just above the function's 900 s, since only a crash is redelivered this way, and
/// events should not wait long for it.
const EVENT_VISIBILITY_S: u32 = 960;
/// The visibility timeout of the conductor's messages: six times its timeout.
const CONDUCTOR_VISIBILITY_S: u32 = 6 * 60;
/// The receives after which a message goes to the app's dead-letter queue.
///
/// Messages are acknowledged whatever came of them, so that only a process that died, or Lambda's throttling, leaves
/// one to be received again. AWS advises at least five, because throttled receives count too; more would only keep
/// a message that kills its process away from the conductor.
const RECEIVES: u32 = 5;

pub(crate) fn check_names(manifest: &Manifest) -> Result<(), TemplateError> {
    let mut taken = BTreeSet::from([APP_DLQ.to_owned()]);
    for queue in function_queues(manifest).map(str::to_owned).chain(function_dlqs(manifest)) {
        if !taken.insert(queue.clone()) {
            return Err(TemplateError::SameQueue(queue));
        }
    }
    Ok(())
}

pub(crate) fn add_app_dlq(resources: &mut Named<Resource>) {
    resources.add(APP_DLQ_ID, queue(APP_DLQ, CONDUCTOR_VISIBILITY_S, None));
}

pub(crate) fn add(function: &FunctionEntry, resources: &mut Named<Resource>) {
    let visibility_s = match function.holds {
        Holds::Task(_) => TASK_VISIBILITY_S,
        Holds::Events(_) => EVENT_VISIBILITY_S,
        Holds::Conductor => CONDUCTOR_VISIBILITY_S,
    };
    let redrive = json!({
        "deadLetterTargetArn": { "Fn::GetAtt": [APP_DLQ_ID, "Arn"] },
        "maxReceiveCount": RECEIVES,
    });
    resources.add(id(&function.name, "Queue"), queue(&function.name, visibility_s, Some(redrive)));
    if let Some(dlq) = function_dlq(function) {
        // Only people and their tools read it; SQS's own 30 s suit them.
        resources.add(id(&function.name, "Dead"), queue(&dlq, 30, None));
    }
}

fn queue(queue: &str, visibility_s: u32, redrive: Option<Value>) -> Resource {
    let mut properties = json!({
        "QueueName": name(queue),
        "VisibilityTimeout": visibility_s,
        "MessageRetentionPeriod": FOURTEEN_DAYS_S,
        "SqsManagedSseEnabled": true,
    });
    if let Some(redrive) = redrive {
        properties["RedrivePolicy"] = redrive;
    }
    Resource::new("AWS::SQS::Queue", properties)
}
