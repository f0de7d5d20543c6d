//! What every template holds to, whatever the app: read on the template of an app that has one of everything.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod read;
mod roles;

use dacapo_domain::{FunctionEntry, Manifest, TaskEntry, limits};
use dacapo_infra::{TemplateError, template};
use read::{manifest, one_of_everything, read, scheduled, subscription};
use serde_json::{Value, json};

#[test]
fn every_queue_that_a_function_reads_is_redriven_into_the_net() {
    let template = one_of_everything();
    for function in ["Conductor", "NightlyReport", "SendWelcome", "UserJoined"] {
        let redrive = &template.properties(&format!("{function}Queue"))["RedrivePolicy"];
        assert_eq!(redrive["deadLetterTargetArn"], json!({ "Fn::GetAtt": ["Undelivered", "Arn"] }), "{function}");
        assert_eq!(redrive["maxReceiveCount"], 5, "{function}");
    }
    let read_by_conductor = template.properties("MappingOfUndelivered");
    assert_eq!(read_by_conductor["FunctionName"], json!({ "Ref": "ConductorFunction" }));
    assert_eq!(read_by_conductor["EventSourceArn"], json!({ "Fn::GetAtt": ["Undelivered", "Arn"] }));
}

#[test]
fn a_message_stays_hidden_for_longer_than_its_function_may_take() {
    let template = one_of_everything();
    for (function, timeout_s, visibility_s) in [
        ("Conductor", 60, 360),
        ("NightlyReport", 900, 5_400),
        // A minute of the handler's, and five seconds in which its failure is recorded.
        ("SendWelcome", 65, 5_400),
        ("UserJoined", 900, 960),
    ] {
        assert_eq!(template.properties(&format!("{function}Function"))["Timeout"], timeout_s, "{function}");
        assert_eq!(template.properties(&format!("{function}Queue"))["VisibilityTimeout"], visibility_s, "{function}");
    }
}

#[test]
fn every_queue_keeps_its_messages_for_fourteen_days() {
    for (id, queue) in one_of_everything().of_type("AWS::SQS::Queue") {
        assert_eq!(queue["MessageRetentionPeriod"], 1_209_600, "{id}");
    }
}

#[test]
fn failures_are_reported_per_message() {
    let template = one_of_everything();
    for (id, mapping) in template.of_type("AWS::Lambda::EventSourceMapping") {
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id}");
        assert_eq!(mapping.get("FilterCriteria"), None, "{id}: what a filter doesn't match is deleted");
    }
    assert_eq!(template.properties("SendWelcomeMapping")["BatchSize"], 1);
    // As many events as fit into 850 s if both handlers take the minute that each may.
    assert_eq!(template.properties("UserJoinedMapping")["BatchSize"], 7);
}

#[test]
fn only_a_function_that_asks_for_a_dead_letter_queue_has_one() {
    let template = one_of_everything();
    let named = |id: &str| template.properties(id)["QueueName"]["Fn::Sub"].clone();
    assert_eq!(named("UserJoinedDead"), "${App}-${Stage}-user-joined-dead");
    assert_eq!(template.of_type("AWS::SQS::Queue").count(), 4 + 1 + 1);
}

#[test]
fn history_and_loop_outlive_the_stack_and_are_taken_over() {
    let template = one_of_everything();
    for (id, resource) in template.resources() {
        let outlives = ["Table", "Loop"].contains(&id.as_str());
        assert_eq!(resource.get("DeletionPolicy").is_some(), outlives, "{id}");
        assert_eq!(resource.get("UpdateReplacePolicy").is_some(), outlives, "{id}");
        assert_eq!(resource.get("Condition").is_some(), outlives, "{id}");
    }
    // Where they are taken over, the stack has no such resource, and nothing may refer to it.
    let text = template.0.to_string();
    for (id, condition) in [("Table", "NewTable"), ("Loop", "NewLoop")] {
        let [referred, got] = [format!(r#"{{"Ref":"{id}"}}"#), format!(r#"{{"Fn::GetAtt":["{id}","#)];
        let count = |found: &str| text.matches(found).count();
        let under = |reference: &str| count(&format!(r#"{{"Fn::If":["{condition}",{reference}"#));
        assert_eq!(count(&referred) + count(&got), under(&referred) + under(&got), "{id}");
        assert!(!text.contains("DependsOn"));
    }
}

#[test]
fn a_schedule_is_made_once_what_its_fires_need_is_there() {
    let template = one_of_everything();
    for (id, schedule) in template.of_type("AWS::Scheduler::Schedule") {
        let description = schedule["Description"].to_string();
        assert!(description.contains(r#"["NewTable",{"Ref":"Table"}"#), "{id}: {description}");
        assert!(description.contains(r#"["NewLoop",{"Fn::GetAtt":["Loop","Name"]}"#), "{id}: {description}");
    }
}

#[test]
fn a_fire_that_cannot_be_sent_is_kept_for_the_conductor() {
    let template = one_of_everything();
    for (id, schedule) in template.of_type("AWS::Scheduler::Schedule") {
        let kept = &schedule["Target"]["DeadLetterConfig"]["Arn"];
        let expected = if id == "Sweep" { Value::Null } else { json!({ "Fn::GetAtt": ["Undelivered", "Arn"] }) };
        assert_eq!(*kept, expected, "{id}");
    }
    // Schedules made at run time name the same queue, and Scheduler takes one role for all of them.
    let sends = template.properties("RoleOfScheduler")["Policies"][0]["PolicyDocument"]["Statement"].to_string();
    assert!(sends.contains(":${App}-${Stage}-undelivered\""), "{sends}");
}

#[test]
fn a_declared_schedule_sends_its_name_and_its_time() {
    let template = one_of_everything();
    let schedule = template.properties("NightlyReportX1Schedule");
    assert_eq!(schedule["ScheduleExpression"], "cron(0 6 ? * MON-FRI *)");
    assert_eq!(schedule["ScheduleExpressionTimezone"], "Europe/Berlin");
    assert_eq!(schedule["Target"]["Arn"], json!({ "Fn::GetAtt": ["NightlyReportQueue", "Arn"] }));
    assert_eq!(
        schedule["Target"]["Input"],
        r#"{"fire/1":{"schedule":"nightly-report-1","time":"<aws.scheduler.scheduled-time>"}}"#
    );
    assert_eq!(template.properties("NightlyReportX2Schedule")["ScheduleExpression"], "rate(7 days)");
}

#[test]
fn a_missed_sweep_is_left_out_because_the_next_is_a_minute_away() {
    let template = one_of_everything();
    let sweep = template.properties("Sweep");
    assert_eq!(sweep["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(sweep["Target"]["Arn"], json!({ "Fn::GetAtt": ["ConductorFunction", "Arn"] }));
    assert_eq!(sweep["Target"]["Input"], r#"{"sweep/1":{}}"#);
    assert_eq!(sweep["Target"]["RetryPolicy"], json!({ "MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0 }));
    let on_failure = template.properties("SweepOnce");
    assert_eq!((&on_failure["MaximumEventAgeInSeconds"], &on_failure["MaximumRetryAttempts"]), (&json!(60), &json!(0)));
}

#[test]
fn the_conductor_is_told_of_executions_that_ended_badly() {
    let template = one_of_everything();
    for (rule, statuses, message) in [
        (
            "RuleOfStopped",
            json!(["ABORTED", "TIMED_OUT"]),
            r#"{"ended/1":{"execution":<execution>,"status":<status>}}"#,
        ),
        (
            "RuleOfFailed",
            json!(["FAILED"]),
            r#"{"ended/1":{"execution":<execution>,"status":<status>,"error":<error>,"cause":<cause>}}"#,
        ),
    ] {
        let rule = template.properties(rule);
        assert_eq!(rule["EventPattern"]["detail"]["status"], statuses);
        assert_eq!(rule["Targets"][0]["Arn"], json!({ "Fn::GetAtt": ["ConductorQueue", "Arn"] }));
        let transformer = &rule["Targets"][0]["InputTransformer"];
        assert_eq!(transformer["InputTemplate"], message);
        assert_eq!(transformer["InputPathsMap"]["execution"], "$.detail.name");
    }
}

#[test]
fn somebody_is_told_where_nothing_mends_itself() {
    let template = one_of_everything();
    let mut alarms: Vec<String> = template.of_type("AWS::CloudWatch::Alarm").map(|(id, _)| id).collect();
    alarms.sort();
    let expected = [
        "ConductorBacklog",
        "ConductorFails",
        "ConductorIsSilent",
        "NightlyReportBacklog",
        "SendWelcomeBacklog",
        "UndeliveredRemain",
        "UserJoinedBacklog",
        "UserJoinedDropped",
    ];
    assert_eq!(alarms, expected);
    let silent = template.properties("ConductorIsSilent");
    assert_eq!(silent["TreatMissingData"], "breaching");
}

#[test]
fn the_longest_names_fit() {
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
fn the_same_functions_make_the_same_template() {
    let manifest = manifest();
    let mut backwards = manifest.functions.clone();
    backwards.reverse();
    let other = Manifest { made_ms: 1, ..Manifest::new(&manifest.app, backwards).unwrap() };
    assert_eq!(template(&manifest).unwrap().to_text(), template(&other).unwrap().to_text());
}

#[test]
fn nothing_is_null_because_cloudformation_refuses_it() {
    assert!(!one_of_everything().0.to_string().contains("null"));
}

#[test]
fn two_queues_of_one_name_are_refused() {
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
fn an_app_without_a_conductor_is_refused() {
    let error = template(&Manifest::new("shop", vec![]).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the app has no conductor, which repairs what is stuck (keep functions/conductor)");
}

#[test]
fn an_app_that_fills_a_stack_is_the_largest() {
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
