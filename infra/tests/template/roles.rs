//! The permissions of each part of an app: no more than it needs.

use serde_json::{Value, json};

use crate::read::one_of_everything;

#[test]
fn statement_of_any_policy_allows_only_what_it_names() {
    let template = one_of_everything();
    let mut wild = Vec::new();
    for (id, statement) in template.statements() {
        let text = statement.to_string();
        assert_eq!(statement["Effect"], "Allow", "{id}");
        assert!(!statement["Action"].to_string().contains('*'), "{id}: {text}");
        assert_ne!(statement["Resource"], "*", "{id}: {text}");
        let resources = match &statement["Resource"] {
            Value::Array(resources) => resources.clone(),
            resource => vec![resource.clone()],
        };
        for resource in resources.iter().filter(|resource| resource.to_string().contains('*')) {
            let arn = resource["Fn::Sub"].as_str().unwrap();
            wild.push(arn.split_once("${AWS::AccountId}:").unwrap().1.to_owned());
        }
    }
    wild.sort();
    wild.dedup();
    // Streams of a log, executions and schedules are named after what doesn't exist yet.
    let expected = [
        "execution:${App}-${Stage}-loop:*",
        "log-group:/aws/lambda/${App}-${Stage}-conductor:*",
        "log-group:/aws/lambda/${App}-${Stage}-nightly-report:*",
        "log-group:/aws/lambda/${App}-${Stage}-send-welcome:*",
        "log-group:/aws/lambda/${App}-${Stage}-user-joined:*",
        "schedule/${App}-${Stage}/*",
        "schedule/${App}-${Stage}/delivery-*",
        "schedule/${App}-${Stage}/event-*",
        "schedule/${App}-${Stage}/pool-*",
        "schedule/${App}-${Stage}/run-*",
    ];
    assert_eq!(wild, expected);
}

#[test]
fn role_of_scheduler_is_the_only_one_passed_and_to_scheduler_alone() {
    let passes: Vec<Value> = one_of_everything()
        .statements()
        .into_iter()
        .map(|(_, statement)| statement)
        .filter(|statement| statement["Action"].to_string().contains("iam:"))
        .collect();
    let [pass] = &passes[..] else { panic!("{passes:?}") };
    assert_eq!(pass["Action"], json!(["iam:PassRole"]));
    assert_eq!(
        pass["Resource"]["Fn::Sub"],
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${App}-${Stage}-scheduler"
    );
    assert_eq!(pass["Condition"]["StringEquals"]["iam:PassedToService"], "scheduler.amazonaws.com");
}

#[test]
fn function_role_reads_its_own_queue_and_no_other() {
    let template = one_of_everything();
    for (function, queues) in [("SendWelcome", vec!["send-welcome"]), ("Conductor", vec!["conductor", "undelivered"])] {
        let own = &template.properties(&format!("{function}Role"))["Policies"][0]["PolicyDocument"]["Statement"];
        let read: Vec<&str> = own
            .as_array()
            .unwrap()
            .iter()
            .filter(|statement| statement["Action"].to_string().contains("sqs:ReceiveMessage"))
            .map(|statement| statement["Resource"]["Fn::Sub"].as_str().unwrap().rsplit_once("${Stage}-").unwrap().1)
            .collect();
        assert_eq!(read, queues, "{function}");
    }
}

#[test]
fn scheduler_role_can_only_send_and_only_for_the_apps_schedule_group() {
    let template = one_of_everything();
    let role = template.properties("RoleOfScheduler");
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["Action"], json!(["sqs:SendMessage"]));
    let group = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule-group/${App}-${Stage}";
    let condition = &role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"];
    assert_eq!(condition["ArnEquals"]["aws:SourceArn"]["Fn::Sub"], group);
}
