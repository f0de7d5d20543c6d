//! A Lambda function for each crate with its log and its queues, and the app's dead-letter queue beneath all of them.

use std::time::Duration;

use dacapo_domain::{APP_DLQ, CONDUCTOR, FunctionEntry, Holds, LifecycleEvent, limits};
use serde_json::{Value, json};

use crate::{
    OwnResources, kms,
    names::{APP_DLQ_ID, code_parameter, id, name, prefix},
    requires,
    resource::{Named, Resource, TemplateError},
    token_url,
};

/// Messages of the app's dead-letter queue that the conductor takes at once.
const APP_DLQ_BATCH: u32 = 10;

pub(crate) fn is_conductor(function: &FunctionEntry) -> bool {
    matches!(function.holds, Holds::Conductor)
}

pub(crate) fn add(
    function: &FunctionEntry,
    own: &OwnResources,
    resources: &mut Named<Resource>,
) -> Result<(), TemplateError> {
    let slug = &function.name;
    let mut properties = json!({
        "FunctionName": name(slug),
        "Description": description(function),
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Architectures": [{ "Ref": "Architecture" }],
        "Code": { "S3Bucket": { "Ref": "Artifacts" }, "S3Key": { "Ref": code_parameter(function) } },
        "MemorySize": function.memory_mb,
        "Timeout": function.lambda_timeout().as_secs(),
        "Role": { "Fn::GetAtt": [id(slug, "Role"), "Arn"] },
        "Environment": { "Variables": environment(function, own)? },
        "LoggingConfig": logging(function),
        // A run that continues through its own queue looks like a loop to Lambda; hops are counted instead.
        "RecursiveLoop": "Allow",
    });
    for (name, value) in requires::properties(function, own)? {
        properties[name] = value;
    }
    // A file system can be mounted once it has a target in the network.
    let targets = function.requires.file_system.is_some().then(|| own.of_type("AWS::EFS::MountTarget"));
    let lambda = Resource::after("AWS::Lambda::Function", properties, targets.unwrap_or_default());
    resources.add(id(slug, "Function"), lambda);
    let group = json!({ "Fn::Sub": format!("/aws/lambda/${{App}}-${{Stage}}-{slug}") });
    resources.add(
        id(slug, "Logs"),
        Resource::new(
            "AWS::Logs::LogGroup",
            json!({
                "LogGroupName": group,
                "RetentionInDays": { "Ref": "LogRetentionDays" },
                "KmsKeyId": kms::of_log(),
            }),
        ),
    );
    resources.add(id(slug, "Mapping"), mapping(slug, &id(slug, "Queue"), function.batch_size()));
    add_queues(function, resources);
    Ok(())
}

fn logging(function: &FunctionEntry) -> Value {
    let mut logging = json!({ "LogFormat": "JSON", "LogGroup": { "Ref": id(&function.name, "Logs") } });
    if let Some(level) = &function.requires.log_level {
        logging["ApplicationLogLevel"] = json!(level.to_uppercase());
    }
    logging
}

fn environment(function: &FunctionEntry, own: &OwnResources) -> Result<Value, TemplateError> {
    let mut variables = json!({
        "DACAPO_APP": { "Ref": "App" },
        "DACAPO_STAGE": { "Ref": "Stage" },
        "DACAPO_FUNCTION": function.name,
        "DACAPO_ACCOUNT": { "Ref": "AWS::AccountId" },
        "DACAPO_METRICS": { "Ref": "Metrics" },
    });
    if is_conductor(function) {
        for (name, value) in token_url::environment() {
            variables[name] = value;
        }
    }
    let publishes = function.publishes();
    if !publishes.is_empty() {
        variables["DACAPO_LIFECYCLE"] = json!(LifecycleEvent::text(&publishes));
    }
    for (name, value) in requires::environment(function, own)? {
        variables[name] = value;
    }
    Ok(variables)
}

/// Adds the app's dead-letter queue.
pub(crate) fn add_app_dlq(resources: &mut Named<Resource>) {
    resources.add(APP_DLQ_ID, queue(APP_DLQ, limits::CONDUCTOR_VISIBILITY, None));
}

/// Adds the conductor's own resources: the mapping of the app's dead-letter queue, and sweeps that aren't retried.
pub(crate) fn add_conductors(resources: &mut Named<Resource>) {
    resources.add("MappingOfUndelivered", mapping(CONDUCTOR, APP_DLQ_ID, APP_DLQ_BATCH));
    // The next sweep is a minute away: one that failed or came late is better left out than run beside it.
    resources.add(
        "SweepOnce",
        Resource::new(
            "AWS::Lambda::EventInvokeConfig",
            json!({
                "FunctionName": { "Ref": id(CONDUCTOR, "Function") },
                "Qualifier": "$LATEST",
                "MaximumEventAgeInSeconds": 60,
                "MaximumRetryAttempts": 0,
            }),
        ),
    );
}

fn add_queues(function: &FunctionEntry, resources: &mut Named<Resource>) {
    let redrive = json!({
        "deadLetterTargetArn": { "Fn::GetAtt": [APP_DLQ_ID, "Arn"] },
        "maxReceiveCount": limits::MAX_RECEIVES,
    });
    resources.add(id(&function.name, "Queue"), queue(&function.name, function.visibility(), Some(redrive)));
    if let Some(dlq) = function.dlq() {
        // Only people and their tools read it; SQS's own 30 s suit them.
        resources.add(id(&function.name, "Dead"), queue(&dlq, Duration::from_secs(30), None));
    }
}

fn mapping(slug: &str, queue: &str, batch_size: u32) -> Resource {
    Resource::new(
        "AWS::Lambda::EventSourceMapping",
        json!({
            "FunctionName": { "Ref": id(slug, "Function") },
            "EventSourceArn": { "Fn::GetAtt": [queue, "Arn"] },
            "BatchSize": batch_size,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }),
    )
}

fn queue(queue: &str, visibility: Duration, redrive: Option<Value>) -> Resource {
    let mut properties = json!({
        "QueueName": name(queue),
        "VisibilityTimeout": visibility.as_secs(),
        "MessageRetentionPeriod": limits::MESSAGE_RETENTION.as_secs(),
    });
    kms::encrypt_queue(&mut properties);
    if let Some(redrive) = redrive {
        properties["RedrivePolicy"] = redrive;
    }
    Resource::new("AWS::SQS::Queue", properties)
}

fn description(function: &FunctionEntry) -> Value {
    match &function.holds {
        Holds::Task(task) => json!(format!("Task {}", task.name)),
        Holds::Events(handlers) => {
            let mut events: Vec<&str> = handlers.iter().map(|handler| handler.event.as_str()).collect();
            events.sort_unstable();
            events.dedup();
            json!(shorten(&format!("Handles {}", events.join(", "))))
        }
        Holds::Conductor => {
            json!({ "Fn::Join": ["", ["Delivers what is late and repairs what is stuck in ", prefix()]] })
        }
    }
}

/// The text within the 256 characters that Lambda allows a function's description.
fn shorten(text: &str) -> String {
    text.chars().take(256).collect()
}
