//! The apps that fit into a stack, and those that are refused.

use dacapo_domain::{FunctionEntry, Manifest, TaskEntry, limits};
use dacapo_infra::{TemplateError, template};
use serde_json::Value;

use crate::read::{read, scheduled, subscription};

#[test]
fn names_on_aws_of_the_longest_parts_are_within_its_limits() {
    let (app, stage) = ("a".repeat(limits::APP_CHARS), "s".repeat(limits::STAGE_CHARS));
    let crate_name = "c".repeat(limits::SLUG_BYTES);
    let longest = |kind: &str, property: &str, allowed: usize| {
        let functions = vec![
            FunctionEntry::conductor(),
            FunctionEntry::task("long", 256, scheduled(&"t".repeat(limits::TASK_NAME_CHARS))),
            FunctionEntry::events(&crate_name, 256, vec![subscription(true)]),
        ];
        let template = read(&Manifest::new(&app, functions).unwrap());
        let named: Vec<String> = template
            .of_type(kind)
            .filter_map(|(_, resource)| match &resource[property] {
                Value::String(name) => Some(name.clone()),
                name => Some(name["Fn::Sub"].as_str()?.replace("${App}", &app).replace("${Stage}", &stage)),
            })
            .collect();
        let name = named.iter().max_by_key(|name| name.len()).unwrap();
        assert!(name.len() <= allowed, "{kind} {name} has {} characters, {allowed} are allowed", name.len());
    };
    longest("AWS::Lambda::Function", "FunctionName", 64);
    longest("AWS::SQS::Queue", "QueueName", 80);
    longest("AWS::StepFunctions::StateMachine", "StateMachineName", 80);
    longest("AWS::Scheduler::ScheduleGroup", "Name", 64);
    longest("AWS::Scheduler::Schedule", "Name", 64);
    longest("AWS::IAM::Role", "RoleName", 64);
    longest("AWS::Events::Rule", "Name", 64);
    longest("AWS::DynamoDB::Table", "TableName", 255);
}

#[test]
fn app_with_two_queues_of_one_name_is_refused() {
    let with = |task: &str| {
        let functions = vec![
            FunctionEntry::conductor(),
            FunctionEntry::events("user-joined", 256, vec![subscription(true)]),
            FunctionEntry::task("other", 256, scheduled(task)),
        ];
        template(&Manifest::new("shop", functions).unwrap()).map(|_| ())
    };
    assert_eq!(with("undelivered"), Err(TemplateError::SameQueue("undelivered".to_owned())));
    assert_eq!(with("user joined dead"), Err(TemplateError::SameQueue("user-joined-dead".to_owned())));
    assert_eq!(with("loop"), Ok(()));
}

#[test]
fn app_without_a_conductor_is_refused() {
    let error = template(&Manifest::new("shop", vec![]).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the app has no conductor, which repairs what is stuck (keep functions/conductor)");
}

#[test]
fn app_with_more_resources_than_a_stack_holds_is_refused() {
    let of = |tasks: usize| {
        let tasks = (0..tasks)
            .map(|n| FunctionEntry::task("many", 256, TaskEntry { schedules: vec![], ..scheduled(&format!("t{n}")) }));
        let functions = tasks.chain([FunctionEntry::conductor()]).collect();
        template(&Manifest::new("shop", functions).unwrap())
    };
    assert!(of(75).is_ok());
    let error = of(100).unwrap_err().to_string();
    assert!(error.contains("CloudFormation allows 500; split the 101 functions over two apps"), "{error}");
}
