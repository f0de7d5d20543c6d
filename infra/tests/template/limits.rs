//! The apps that fit into a stack, and those that are refused.

use dacapo_domain::{FunctionEntry, Json, Manifest, Policy, TaskEntry, hours, limits, minutes};
use dacapo_infra::{OwnResources, template};
use serde_json::Value;

use crate::read::{Read, read, scheduled, subscription};

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
fn app_without_a_conductor_is_refused() {
    let error = template(&Manifest::new("shop", vec![]).unwrap(), &OwnResources::default()).unwrap_err();
    assert_eq!(error.to_string(), "the app has no conductor, which repairs what is stuck (keep functions/conductor)");
}

#[test]
fn app_with_more_resources_than_a_stack_holds_is_refused() {
    let of = |tasks: usize| {
        let tasks = (0..tasks)
            .map(|n| FunctionEntry::task("many", 256, TaskEntry { schedules: vec![], ..scheduled(&format!("t{n}")) }));
        let functions = tasks.chain([FunctionEntry::conductor()]).collect();
        template(&Manifest::new("shop", functions).unwrap(), &OwnResources::default())
    };
    assert!(of(75).is_ok());
    let error = of(100).unwrap_err().to_string();
    assert!(error.contains("CloudFormation allows 500; split the 101 functions over two apps"), "{error}");
}

/// An app of the longest names: so many functions of events with dead-letter queues, so many tasks.
fn app_of(events: usize, tasks: usize) -> Manifest {
    let name = |kind: char, n: usize| format!("{kind}{n:0width$}", width = limits::SLUG_BYTES - 1);
    let events =
        (0..events).map(|n| FunctionEntry::events(&name('e', n), 256, vec![subscription(true), subscription(true)]));
    let tasks = (0..tasks)
        .map(|n| FunctionEntry::task("many", 256, TaskEntry { schedules: vec![], ..scheduled(&name('t', n)) }));
    let functions = events.chain(tasks).chain([FunctionEntry::conductor()]).collect();
    Manifest::new(&"a".repeat(limits::APP_CHARS), functions).unwrap()
}

/// A text as it is once CloudFormation has put in what is longest.
fn filled(value: &Value) -> String {
    let text = match value {
        Value::Object(object) if object.len() == 1 && object.contains_key("Fn::Sub") => object["Fn::Sub"].to_string(),
        Value::Object(object) => {
            let fields: Vec<String> =
                object.iter().map(|(name, value)| format!("\"{name}\":{}", filled(value))).collect();
            return format!("{{{}}}", fields.join(","));
        }
        Value::Array(items) => return format!("[{}]", items.iter().map(filled).collect::<Vec<_>>().join(",")),
        value => value.to_string(),
    };
    [
        ("${AWS::Partition}", "aws-us-gov"),
        ("${AWS::Region}", "ap-southeast-99"),
        ("${AWS::AccountId}", "123456789012"),
        ("${App}", &"a".repeat(limits::APP_CHARS)),
        ("${Stage}", &"s".repeat(limits::STAGE_CHARS)),
    ]
    .into_iter()
    .fold(text, |text, (name, value)| text.replace(name, value))
}

fn assert_within_limits(template: &Read, text: &str) {
    assert!(template.resources().len() <= 500, "{} resources", template.resources().len());
    assert!(text.len() <= 1_000_000, "{} bytes", text.len());
    assert!(template.0["Parameters"].as_object().unwrap().len() <= 200);
    for (id, policy) in template.of_type("AWS::IAM::ManagedPolicy") {
        let characters = filled(&policy["PolicyDocument"]).replace(char::is_whitespace, "").len();
        assert!(characters <= 6_144, "{id}: {characters} characters");
    }
    for (id, role) in template.of_type("AWS::IAM::Role") {
        let inline = role["Policies"].as_array().into_iter().flatten();
        let characters: usize =
            inline.map(|policy| filled(&policy["PolicyDocument"]).replace(char::is_whitespace, "").len()).sum();
        assert!(characters <= 10_240, "{id}: {characters} characters inline");
        let attached = role["ManagedPolicyArns"].as_array().map_or(0, Vec::len);
        assert!(attached <= 10, "{id}: {attached} managed policies");
    }
}

#[test]
fn stack_of_fifty_functions_with_dead_letters_is_within_every_limit_of_its_services() {
    for (events, tasks) in [(50, 0), (40, 15), (20, 45), (0, 75), (1, 0)] {
        let manifest = app_of(events, tasks);
        let text = template(&manifest, &OwnResources::default())
            .unwrap_or_else(|error| panic!("{events}, {tasks}: {error}"))
            .to_text();
        assert_within_limits(&read(&manifest), &text);
    }
}

#[test]
fn largest_app_that_is_not_refused_is_within_every_limit_of_its_services() {
    for of in [|n| app_of(n, 0), |n| app_of(0, n), |n| app_of(n / 2, n / 2)] {
        let largest = (40..90)
            .rev()
            .map(of)
            .find_map(|manifest| Some((template(&manifest, &OwnResources::default()).ok()?, manifest)));
        let (template, manifest) = largest.unwrap();
        assert_within_limits(&read(&manifest), &template.to_text());
    }
}

#[test]
fn manifest_has_room_for_a_thousand_functions_and_a_stack_that_has_not_is_refused_with_their_number() {
    let tasks = (0..1_000).map(|n| FunctionEntry::task("many", 256, scheduled(&format!("task {n:060}"))));
    let manifest = Manifest::new("shop", tasks.chain([FunctionEntry::conductor()]).collect()).unwrap();
    assert_eq!(manifest.check_bytes(), Ok(()));
    let error = template(&manifest, &OwnResources::default()).unwrap_err().to_string();
    assert!(error.contains("(CloudFormation allows 500; split the 1001 functions over two apps)"), "{error}");
}

#[test]
fn manifest_that_is_too_large_is_refused_with_both_sizes() {
    let large = |bytes: usize| {
        let mut task = scheduled("report");
        task.schedules[0].body = Json::of(&"x".repeat(bytes)).unwrap();
        template(
            &Manifest::new("shop", vec![FunctionEntry::conductor(), FunctionEntry::task("report", 256, task)]).unwrap(),
            &OwnResources::default(),
        )
    };
    assert!(large(1_000_000).is_ok(), "it is stored in parts");
    let error = large(4 * 1024 * 1024).unwrap_err().to_string();
    assert!(error.starts_with("the manifest has 419"), "{error}");
    assert!(error.contains("bytes (allowed: 4194304; "), "{error}");
}

#[test]
fn longest_timeout_is_lambdas_own_whatever_a_task_may_ask_for() {
    let seconds = |timeout, max_timeout| {
        let policy = Policy { timeout, max_timeout, ..Policy::default() };
        let task = TaskEntry { policy, schedules: vec![], ..scheduled("report") };
        let functions = vec![FunctionEntry::conductor(), FunctionEntry::task("report", 256, task)];
        let read = read(&Manifest::new("shop", functions).unwrap());
        (
            read.properties("ReportFunction")["Timeout"].clone(),
            read.properties("ReportQueue")["VisibilityTimeout"].clone(),
        )
    };
    assert_eq!(seconds(minutes(1), minutes(15)), (905.into(), 5_400.into()));
    assert_eq!(seconds(minutes(30), minutes(30)), (1_800.into(), 5_400.into()));
    assert_eq!(seconds(minutes(1), hours(2)), (1_800.into(), 5_400.into()));
}
