//! The permissions of each function: named ARN by ARN, because a prefix would match another app's things too.

use dacapo_domain::{APP_DLQ, CONDUCTOR, FunctionEntry, Index, Manifest, function_dlq};
use serde_json::{Value, json};

use crate::{
    OwnResources,
    functions::is_conductor,
    names::{arn, function_arn, function_dlqs, function_queues, id, name, queue_arn, scheduler_role_arn},
    policy::{allow, document},
    requires,
    resource::{Named, Resource, TemplateError},
};

/// Resources of one managed policy, which is at most 6,144 characters long; an ARN takes up to 130 of them.
const RESOURCES_OF_ONE_POLICY: usize = 45;
/// The actions by which a message is sent.
const SEND: [&str; 2] = ["sqs:GetQueueUrl", "sqs:SendMessage"];

/// Adds the policies that all functions have in common, and the roles that Scheduler takes.
pub(crate) fn add_shared(manifest: &Manifest, resources: &mut Named<Resource>) {
    resources.add("MayDrive", may_drive());
    let sent_to: Vec<Value> = function_queues(manifest).map(queue_arn).collect();
    add_policies("MaySend", "Sends to the app's queues.", &SEND, &sent_to, resources);
    add_policies("MayLook", "Looks at the app's queues.", &["sqs:GetQueueAttributes"], &sent_to, resources);
    let kept: Vec<Value> = function_dlqs(manifest).map(|queue| queue_arn(&queue)).collect();
    add_policies("MayKeep", "Keeps what functions gave up.", &SEND, &kept, resources);
    let net = queue_arn(APP_DLQ);
    let all: Vec<Value> = sent_to.into_iter().chain([net]).collect();
    let send = allow(&["sqs:SendMessage"], json!(all));
    resources.add("RoleOfScheduler", scheduler_role(Some("scheduler"), "send", send));
    let sweep = allow(&["lambda:InvokeFunction"], function_arn(CONDUCTOR));
    resources.add("RoleOfSweep", scheduler_role(None, "sweep", sweep));
}

/// Adds policies that allow actions on these resources of AWS: as many as it takes.
pub(crate) fn add_policies(name: &str, what: &str, actions: &[&str], on: &[Value], resources: &mut Named<Resource>) {
    for (id, on) in policy_ids(name, on.len()).zip(on.chunks(RESOURCES_OF_ONE_POLICY)) {
        let policy = document(&[allow(actions, json!(on))]);
        let properties = json!({ "Description": what, "PolicyDocument": policy });
        resources.add(id, Resource::new("AWS::IAM::ManagedPolicy", properties));
    }
}

/// Adds the role of one function. What grows with the app is in managed policies: all that is inline has 10,240
/// characters at most.
pub(crate) fn add(
    manifest: &Manifest,
    function: &FunctionEntry,
    own_resources: &OwnResources,
    resources: &mut Named<Resource>,
) -> Result<(), TemplateError> {
    let functions = manifest.functions.len();
    let mut policies: Vec<String> =
        ["MayDrive".to_owned()].into_iter().chain(policy_ids("MaySend", functions)).collect();
    if is_conductor(function) {
        // It sends a run again only where its queue shows nothing visible, and keeps what functions gave up.
        policies.extend(policy_ids("MayLook", functions));
        policies.extend(policy_ids("MayKeep", function_dlqs(manifest).count()));
    }
    let policies: Vec<Value> = policies.into_iter().map(|id| json!({ "Ref": id })).collect();
    let mut inline = vec![json!({ "PolicyName": "own", "PolicyDocument": document(&own(function)) })];
    if let Some(policy) = requires::policy(function, own_resources)? {
        inline.push(json!({ "PolicyName": "required", "PolicyDocument": policy }));
    }
    resources.add(
        id(&function.name, "Role"),
        Resource::new(
            "AWS::IAM::Role",
            json!({
                "AssumeRolePolicyDocument": assumed_by("lambda.amazonaws.com", None),
                "ManagedPolicyArns": policies,
                "Policies": inline,
            }),
        ),
    );
    Ok(())
}

/// The statements on what is a function's own: its log, its queue, its dead-letter queue.
fn own(function: &FunctionEntry) -> Vec<Value> {
    const CONSUME: [&str; 3] = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
    let log = arn("logs", "log-group:/aws/lambda/", &format!("-{}:*", function.name));
    let mut statements =
        vec![allow(&["logs:CreateLogStream", "logs:PutLogEvents"], log), allow(&CONSUME, queue_arn(&function.name))];
    if is_conductor(function) {
        statements.push(allow(&CONSUME, queue_arn(APP_DLQ)));
    }
    // What can't be read is kept: in a function's own dead-letter queue, or, where it has none, in the app's. Without
    // leave to ask for the first, the service would not say that it isn't there.
    let kept = [function_dlq(&function.name), APP_DLQ.to_owned()];
    statements.push(allow(&SEND, kept.iter().map(|queue| queue_arn(queue)).collect()));
    statements
}

/// The policy to drive a run: its record, its wait loop, its one-time schedules.
fn may_drive() -> Resource {
    let mut table = vec![arn("dynamodb", "table/", "")];
    table.extend(Index::ALL.map(|index| arn("dynamodb", "table/", &format!("/index/{}", index.name()))));
    let mut pass = allow(&["iam:PassRole"], scheduler_role_arn());
    pass["Condition"] = json!({ "StringEquals": { "iam:PassedToService": "scheduler.amazonaws.com" } });
    let statements = [
        allow(
            &[
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem",
                "dynamodb:DescribeTable",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
            ],
            json!(table),
        ),
        allow(&["states:StartExecution"], arn("states", "stateMachine:", "-loop")),
        // Executions are named after runs, which no policy can know.
        allow(&["states:DescribeExecution", "states:StopExecution"], arn("states", "execution:", "-loop:*")),
        // So are one-time schedules.
        allow(
            &[
                "scheduler:CreateSchedule",
                "scheduler:DeleteSchedule",
                "scheduler:GetSchedule",
                "scheduler:UpdateSchedule",
            ],
            arn("scheduler", "schedule/", "/*"),
        ),
        pass,
    ];
    Resource::new(
        "AWS::IAM::ManagedPolicy",
        json!({
            "Description": "Keeps the app's history, drives its loop, makes schedules in its group.",
            "PolicyDocument": document(&statements),
        }),
    )
}

/// A role for the schedules of this app's group.
fn scheduler_role(role: Option<&str>, what: &str, statement: Value) -> Resource {
    let of_group = json!({ "ArnEquals": { "aws:SourceArn": arn("scheduler", "schedule-group/", "") } });
    let mut properties = json!({
        "AssumeRolePolicyDocument": assumed_by("scheduler.amazonaws.com", Some(of_group)),
        "Policies": [{ "PolicyName": what, "PolicyDocument": document(&[statement]) }],
    });
    if let Some(role) = role {
        properties["RoleName"] = name(role);
    }
    Resource::new("AWS::IAM::Role", properties)
}

/// The trust policy of a role that one service takes, on a condition where there is one.
pub(crate) fn assumed_by(service: &str, condition: Option<Value>) -> Value {
    let mut statement = json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    document(&[statement])
}

/// The logical ids of the policies for so many resources.
pub(crate) fn policy_ids(name: &str, resources: usize) -> impl Iterator<Item = String> + use<'_> {
    (1..=resources.div_ceil(RESOURCES_OF_ONE_POLICY))
        .map(move |number| if number == 1 { name.to_owned() } else { format!("{name}{number}") })
}
