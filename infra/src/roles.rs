//! The permissions of each function: named ARN by ARN, because a prefix would match another app's things too.

use dacapo_domain::{APP_DLQ, CONDUCTOR, FunctionEntry, Holds, Index, Manifest, ManifestRecord, TIMERS};
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

/// The actions by which a record is written.
const WRITE: [&str; 5] = [
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
];
/// The actions by which a schedule is made, replaced and deleted.
const SCHEDULE: [&str; 3] = ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule"];

/// Adds the policies that functions share, and the roles that Scheduler takes.
pub(crate) fn add_shared(manifest: &Manifest, resources: &mut Named<Resource>) {
    resources.add("MayDrive", may_drive());
    resources.add("MaySchedule", may_schedule());
    if manifest.functions.iter().any(FunctionEntry::may_start_loop) {
        resources.add("MayLoop", may_loop());
    }
    resources.add("MayControl", may_control());
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
        resources.add(id, policy(what, &[allow(actions, json!(on))]));
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
    let mut policies: Vec<String> = driving(function).into_iter().map(str::to_owned).collect();
    policies.extend(add_sends(manifest, function, resources));
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

/// The policies by which a function sends: to all queues of the app, or to those that follow from what it says it starts and
/// publishes, in policies of its own.
fn add_sends(manifest: &Manifest, function: &FunctionEntry, resources: &mut Named<Resource>) -> Vec<String> {
    let functions = manifest.functions.len();
    match manifest.sent_to(function) {
        Some(names) if names.len() < functions => {
            let (own, queues) = (id(&function.name, "Sends"), names.into_iter().map(queue_arn).collect::<Vec<_>>());
            add_policies(&own, "Sends what one function starts and publishes.", &SEND, &queues, resources);
            policy_ids(&own, queues.len()).collect()
        }
        _ => policy_ids("MaySend", functions).collect(),
    }
}

/// The statements on what is a function's own: its log, its queue, its dead-letter queue.
fn own(function: &FunctionEntry) -> Vec<Value> {
    const CONSUME: [&str; 3] = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
    let log = arn("logs", "log-group:/aws/lambda/", &format!("-{}:*", function.name));
    let mut statements =
        vec![allow(&["logs:CreateLogStream", "logs:PutLogEvents"], log), allow(&CONSUME, queue_arn(&function.name))];
    if is_conductor(function) {
        statements.push(allow(&CONSUME, queue_arn(APP_DLQ)));
        statements.push(allow(&WRITE, table("")));
    }
    // What can't be read is kept: in a function's own dead-letter queue where it has one, else in the app's.
    let kept = function.dlq().into_iter().chain([APP_DLQ.to_owned()]);
    statements.push(allow(&SEND, kept.map(|queue| queue_arn(&queue)).collect()));
    statements
}

/// The policies of what a function may do to the history, the wait loop and the schedules, beside what it sends.
fn driving(function: &FunctionEntry) -> Vec<&'static str> {
    let mut policies = vec!["MayDrive"];
    if function.uses_all() {
        policies.extend(["MaySchedule", "MayControl"]);
    } else if matches!(function.holds, Holds::Task(_)) {
        policies.push("MaySchedule");
        policies.extend(function.may_start_loop().then_some("MayLoop"));
    }
    policies
}

/// The table, or an index of it.
fn table(rest: &str) -> Value {
    arn("dynamodb", "table/", rest)
}

/// The policy that every function needs: records, of which the manifest is the conductor's alone to write, and timers.
fn may_drive() -> Resource {
    const READ: [&str; 4] = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query"];
    let mut write = allow(&WRITE, table(""));
    let manifest = json!([ManifestRecord::key().to_string()]);
    write["Condition"] = json!({ "ForAllValues:StringNotEquals": { "dynamodb:LeadingKeys": manifest } });
    // One-time schedules are named after records, which no policy can know.
    let timers = TIMERS.map(|kind| arn("scheduler", "schedule/", &format!("/{kind}-*")));
    let mut pass = allow(&["iam:PassRole"], scheduler_role_arn());
    pass["Condition"] = json!({ "StringEquals": { "iam:PassedToService": "scheduler.amazonaws.com" } });
    let statements = [allow(&READ, table("")), write, allow(&SCHEDULE, json!(timers)), pass];
    policy("Keeps the app's history, and sets its timers.", &statements)
}

/// The policy to put and delete schedules of any name: what was made at run time to fire once is deleted by its task.
fn may_schedule() -> Resource {
    policy("Puts and deletes the app's schedules.", &[allow(&SCHEDULE, arn("scheduler", "schedule/", "/*"))])
}

/// The policy to continue: the wait loop of a run is started by its task.
fn may_loop() -> Resource {
    policy("Starts the app's loop.", &[allow(&["states:StartExecution"], arn("states", "stateMachine:", "-loop"))])
}

/// The policy of a client: it looks for records, and controls runs and their wait loops.
fn may_control() -> Resource {
    let indexes = Index::ALL.map(|index| table(&format!("/index/{}", index.name())));
    let statements = [
        allow(&["dynamodb:Query"], json!(indexes)),
        allow(&["states:StartExecution"], arn("states", "stateMachine:", "-loop")),
        // Executions are named after runs, which no policy can know.
        allow(&["states:DescribeExecution", "states:StopExecution"], arn("states", "execution:", "-loop:*")),
    ];
    policy("Finds and controls the app's runs.", &statements)
}

fn policy(what: &str, statements: &[Value]) -> Resource {
    let properties = json!({ "Description": what, "PolicyDocument": document(statements) });
    Resource::new("AWS::IAM::ManagedPolicy", properties)
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
