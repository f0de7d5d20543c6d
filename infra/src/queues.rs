//! A queue for each function, a dead-letter queue where one is asked for, and the app's beneath all of them.

use std::{collections::BTreeSet, time::Duration};

use dacapo_domain::{FunctionEntry, Manifest, limits};
use serde_json::{Value, json};

use crate::{
    names::{APP_DLQ, APP_DLQ_ID, function_dlq, function_dlqs, function_queues, id, name},
    resource::{Named, Resource, TemplateError},
};

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
    resources.add(APP_DLQ_ID, queue(APP_DLQ, limits::CONDUCTOR_VISIBILITY, None));
}

pub(crate) fn add(function: &FunctionEntry, resources: &mut Named<Resource>) {
    let redrive = json!({
        "deadLetterTargetArn": { "Fn::GetAtt": [APP_DLQ_ID, "Arn"] },
        "maxReceiveCount": limits::MAX_RECEIVES,
    });
    resources.add(id(&function.name, "Queue"), queue(&function.name, function.visibility(), Some(redrive)));
    if let Some(dlq) = function_dlq(function) {
        // Only people and their tools read it; SQS's own 30 s suit them.
        resources.add(id(&function.name, "Dead"), queue(&dlq, Duration::from_secs(30), None));
    }
}

fn queue(queue: &str, visibility: Duration, redrive: Option<Value>) -> Resource {
    let mut properties = json!({
        "QueueName": name(queue),
        "VisibilityTimeout": visibility.as_secs(),
        "MessageRetentionPeriod": limits::MESSAGE_RETENTION.as_secs(),
        "SqsManagedSseEnabled": true,
    });
    if let Some(redrive) = redrive {
        properties["RedrivePolicy"] = redrive;
    }
    Resource::new("AWS::SQS::Queue", properties)
}
