//! A queue for each function, dead-letter queues where they are asked for, and the app's net beneath all of them.

use std::collections::BTreeSet;

use dacapo_domain::{FunctionEntry, Holds, Manifest};
use serde_json::{Value, json};

use crate::{
    names::{id, name},
    template::{Named, Resource, TemplateError},
};

/// The queue of what a function received too often; the conductor drains it.
pub(crate) const UNDELIVERED: &str = "undelivered";
/// What the template calls it.
pub(crate) const UNDELIVERED_ID: &str = "Undelivered";

/// SQS keeps nothing longer.
const FOURTEEN_DAYS_S: u32 = 14 * 86_400;
/// Six times the longest timeout, as AWS advises, and the same for every task: a timeout that is raised never
/// meets a queue whose visibility is too short for it.
const TASK_VISIBILITY_S: u32 = 6 * 900;
/// Just above the function's 900 s: only a crash is redelivered this way, and events should not wait long for it.
const EVENT_VISIBILITY_S: u32 = 960;
/// Six times the conductor's timeout.
const CONDUCTOR_VISIBILITY_S: u32 = 6 * 60;
/// Messages are acknowledged whatever came of them, so that only a process that died, or Lambda's throttling, leaves
/// one to be received again. AWS advises at least five, because throttled receives count too; more would only keep
/// a message that kills its process away from the conductor.
const RECEIVES: u32 = 5;

/// The names of all queues that functions read.
pub(crate) fn names(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.functions.iter().map(|function| function.name.as_str())
}

/// The names of the dead-letter queues that functions asked for.
pub(crate) fn dead_names(manifest: &Manifest) -> impl Iterator<Item = String> {
    manifest.functions.iter().filter_map(dead_name)
}

/// The name of the function's own dead-letter queue, where one of its handlers asked for it.
pub(crate) fn dead_name(function: &FunctionEntry) -> Option<String> {
    let asked = function.subscriptions().iter().any(|handler| handler.dead_letter);
    asked.then(|| format!("{}-dead", function.name))
}

pub(crate) fn check_names(manifest: &Manifest) -> Result<(), TemplateError> {
    let mut taken = BTreeSet::from([UNDELIVERED.to_owned()]);
    for queue in names(manifest).map(str::to_owned).chain(dead_names(manifest)) {
        if !taken.insert(queue.clone()) {
            return Err(TemplateError::SameQueue(queue));
        }
    }
    Ok(())
}

pub(crate) fn add_undelivered(resources: &mut Named<Resource>) {
    resources.add(UNDELIVERED_ID, queue(UNDELIVERED, CONDUCTOR_VISIBILITY_S, None));
}

pub(crate) fn add(function: &FunctionEntry, resources: &mut Named<Resource>) {
    let visibility_s = match function.holds {
        Holds::Task(_) => TASK_VISIBILITY_S,
        Holds::Events(_) => EVENT_VISIBILITY_S,
        Holds::Conductor => CONDUCTOR_VISIBILITY_S,
    };
    let redrive = json!({
        "deadLetterTargetArn": { "Fn::GetAtt": [UNDELIVERED_ID, "Arn"] },
        "maxReceiveCount": RECEIVES,
    });
    resources.add(id(&function.name, "Queue"), queue(&function.name, visibility_s, Some(redrive)));
    if let Some(dead) = dead_name(function) {
        // Nobody reads it but people and their tools; SQS's own 30 s suit them.
        resources.add(id(&function.name, "Dead"), queue(&dead, 30, None));
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
