//! The wait loop, and the rules that tell the conductor of executions that ended badly.

use dacapo_domain::{CONDUCTOR, Holds, Manifest};
use serde_json::{Value, json};

use crate::{
    OwnResources,
    names::{NEW_LOOP, arn, function_arn, id, name, prefix},
    policy::{allow, document},
    resource::{Named, Resource},
    roles::{add_policies, assumed_by, policy_ids},
};

/// The state machine of the wait loop, with placeholders for what differs from stage to stage.
pub const WAIT_LOOP: &str = include_str!("../loop.asl.json");

#[expect(clippy::expect_used, reason = "the file is a part of this program")]
pub(crate) fn add(manifest: &Manifest, own: &OwnResources, resources: &mut Named<Resource>) {
    let definition: Value = serde_json::from_str(WAIT_LOOP).expect("loop.asl.json is JSON");
    resources.add(
        "Loop",
        // Replacing it would kill what waits in it: its name is fixed, and it outlives the stack.
        Resource::retained(
            "AWS::StepFunctions::StateMachine",
            NEW_LOOP,
            json!({
                "StateMachineName": name("loop"),
                "StateMachineType": "STANDARD",
                "RoleArn": { "Fn::GetAtt": ["RoleOfLoop", "Arn"] },
                "Definition": definition,
                "DefinitionSubstitutions": { "Partition": { "Ref": "AWS::Partition" }, "Prefix": prefix() },
            }),
        ),
    );
    let called = manifest.functions.iter().filter(|function| !matches!(function.holds, Holds::Events(_)));
    let functions: Vec<Value> = called.map(|function| function_arn(&function.name)).collect();
    add_policies("MayCall", "Calls the app's functions.", &["lambda:InvokeFunction"], &functions, resources);
    resources.add("RoleOfLoop", role(functions.len()));
    // A stopped execution's error and cause come from the call that stopped it and are often missing; a variable
    // without a value would spoil the message.
    resources.add("RuleOfStopped", rule("stopped", &["ABORTED", "TIMED_OUT"], &["execution", "status", "started"]));
    resources.add("RuleOfFailed", rule("failed", &["FAILED"], &["execution", "status", "started", "error", "cause"]));
    resources.add("RulesMaySend", rules_may_send(own));
}

/// The wait loop's role. Its name is fixed, because executions that outlive the stack go on under the role they were
/// started with.
fn role(functions: usize) -> Resource {
    let policies: Vec<Value> = policy_ids("MayCall", functions).map(|id| json!({ "Ref": id })).collect();
    let policy = document(&[allow(&["states:StartExecution"], arn("states", "stateMachine:", "-loop"))]);
    Resource::new(
        "AWS::IAM::Role",
        json!({
            "RoleName": name("loop"),
            "AssumeRolePolicyDocument": assumed_by("states.amazonaws.com", None),
            "ManagedPolicyArns": policies,
            "Policies": [{ "PolicyName": "hand-over", "PolicyDocument": policy }],
        }),
    )
}

fn rule(what: &str, statuses: &[&str], fields: &[&str]) -> Resource {
    let paths: serde_json::Map<String, Value> = fields
        .iter()
        .map(|&field| {
            let path = match field {
                "execution" => "name",
                "started" => "startDate",
                field => field,
            };
            (field.to_owned(), json!(format!("$.detail.{path}")))
        })
        .collect();
    let message: Vec<String> = fields.iter().map(|field| format!("\"{field}\":<{field}>")).collect();
    Resource::new(
        "AWS::Events::Rule",
        json!({
            "Name": name(&format!("loop-{what}")),
            "EventPattern": {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": { "stateMachineArn": [arn("states", "stateMachine:", "-loop")], "status": statuses },
            },
            "Targets": [{
                "Id": CONDUCTOR,
                "Arn": { "Fn::GetAtt": [id(CONDUCTOR, "Queue"), "Arn"] },
                "InputTransformer": {
                    "InputPathsMap": paths,
                    "InputTemplate": format!("{{\"ended/1\":{{{}}}}}", message.join(",")),
                },
            }],
        }),
    )
}

/// A queue has one policy: the app's own rules that name the conductor's queue as a target are in it too.
fn rules_may_send(own: &OwnResources) -> Resource {
    let arn = |rule: &str| json!({ "Fn::GetAtt": [rule, "Arn"] });
    let queue = id(CONDUCTOR, "Queue");
    let mut rules = vec![arn("RuleOfStopped"), arn("RuleOfFailed")];
    for (name, rule) in own.section("Resources").filter(|(_, it)| it["Type"] == "AWS::Events::Rule") {
        let targets = rule["Properties"]["Targets"].as_array().into_iter().flatten();
        if targets.into_iter().any(|target| target["Arn"] == arn(&queue)) {
            rules.push(match rule.get("Condition") {
                Some(condition) => json!({ "Fn::If": [condition, arn(name), { "Ref": "AWS::NoValue" }] }),
                None => arn(name),
            });
        }
    }
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": { "Fn::GetAtt": [queue, "Arn"] },
        "Condition": { "ArnEquals": { "aws:SourceArn": rules } },
    });
    Resource::new(
        "AWS::SQS::QueuePolicy",
        json!({ "Queues": [{ "Ref": queue }], "PolicyDocument": document(&[statement]) }),
    )
}
