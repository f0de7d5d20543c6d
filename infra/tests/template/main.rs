//! The rules that every template keeps, read on the template of an app that has one of everything.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

mod limits;
mod read;
mod requires;
mod rights;
mod roles;
mod settings;

use dacapo_domain::{FunctionEntry, Manifest, Subscription, seconds};
use dacapo_infra::{OwnResources, template};
use read::{manifest, one_of_everything, read, subscription};
use serde_json::{Value, json};

#[test]
fn queue_that_a_function_reads_is_redriven_into_the_apps_dead_letter_queue() {
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
fn message_being_handled_stays_hidden_for_longer_than_its_function_may_take() {
    let template = one_of_everything();
    for (function, timeout_s, visibility_s) in [
        ("Conductor", 60, 360),
        // A quarter of an hour, which is what `set_timeout` may ask for by default.
        ("NightlyReport", 905, 5_400),
        // A minute of the handler's, and five seconds in which its failure is recorded.
        ("SendWelcome", 65, 5_400),
        ("UserJoined", 900, 960),
    ] {
        assert_eq!(template.properties(&format!("{function}Function"))["Timeout"], timeout_s, "{function}");
        assert_eq!(template.properties(&format!("{function}Queue"))["VisibilityTimeout"], visibility_s, "{function}");
    }
}

#[test]
fn queue_of_any_kind_keeps_its_messages_for_fourteen_days() {
    for (id, queue) in one_of_everything().of_type("AWS::SQS::Queue") {
        assert_eq!(queue["MessageRetentionPeriod"], 1_209_600, "{id}");
    }
}

#[test]
fn mapping_of_a_batch_reports_failures_per_message() {
    let template = one_of_everything();
    for (id, mapping) in template.of_type("AWS::Lambda::EventSourceMapping") {
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id}");
        assert_eq!(mapping.get("FilterCriteria"), None, "{id}: what a filter doesn't match is deleted");
    }
    assert_eq!(template.properties("NightlyReportMapping")["BatchSize"], 1);
    assert_eq!(template.properties("SendWelcomeMapping")["BatchSize"], 5, "as its task says");
}

#[test]
fn batch_has_at_most_ten_events_and_no_more_than_its_function_has_time_for() {
    // As many events as fit into 850 s if both handlers take the minute that each may.
    assert_eq!(one_of_everything().properties("UserJoinedMapping")["BatchSize"], 7);
    let handler = Subscription { timeout: seconds(5), ..subscription(false) };
    let functions = vec![FunctionEntry::conductor(), FunctionEntry::events("user-joined", 128, vec![handler])];
    let quick = read(&Manifest::new("shop", functions).unwrap());
    assert_eq!(quick.properties("UserJoinedMapping")["BatchSize"], 10);
}

#[test]
fn function_that_asks_for_no_dead_letter_queue_has_none() {
    let template = one_of_everything();
    let named = |id: &str| template.properties(id)["QueueName"]["Fn::Sub"].clone();
    assert_eq!(named("UserJoinedDead"), "${App}-${Stage}-user-joined-dead");
    assert_eq!(template.of_type("AWS::SQS::Queue").count(), 4 + 1 + 1);
}

#[test]
fn address_for_tokens_is_there_where_it_is_asked_for_and_nothing_else_is_open_to_all() {
    let template = one_of_everything();
    assert_eq!(template.0["Parameters"]["TokenUrl"]["Default"], "off");
    assert_eq!(template.0["Conditions"]["HasTokenUrl"], json!({ "Fn::Equals": [{ "Ref": "TokenUrl" }, "on"] }));
    assert_eq!(template.0["Outputs"]["TokenUrl"]["Condition"], "HasTokenUrl");
    let open = template.resources().iter().filter(|(_, resource)| resource["Properties"]["Principal"] == "*");
    let open: Vec<(&str, &Value)> = open.map(|(id, resource)| (id.as_str(), &resource["Condition"])).collect();
    let asked_for = json!("HasUrl");
    let either = json!([{ "Condition": "HasTokenUrl" }, { "Condition": "HasEventUrl" }]);
    assert_eq!(template.0["Conditions"]["HasUrl"]["Fn::Or"], either);
    assert_eq!(open, [("TokenUrlIsOpen", &asked_for), ("TokenUrlInvokes", &asked_for)]);
    let target = json!({ "Fn::GetAtt": ["ConductorFunction", "Arn"] });
    assert_eq!(template.properties("TokenUrlEndpoint"), &json!({ "AuthType": "NONE", "TargetFunctionArn": target }));
}

#[test]
fn resource_never_bears_the_name_of_a_parameter() {
    let template = one_of_everything();
    let parameters = template.0["Parameters"].as_object().unwrap();
    let shared: Vec<&String> = template.resources().keys().filter(|id| parameters.contains_key(*id)).collect();
    assert_eq!(shared, Vec::<&String>::new());
}

#[test]
fn table_and_loop_of_a_deleted_stack_are_kept_and_taken_over() {
    let template = one_of_everything();
    for (id, resource) in template.resources() {
        let outlives = ["Table", "Loop"].contains(&id.as_str());
        assert_eq!(resource.get("DeletionPolicy").is_some(), outlives, "{id}");
        assert_eq!(resource.get("UpdateReplacePolicy").is_some(), outlives, "{id}");
        let is_asked_for = id.starts_with("TokenUrl")
            || ["RunsFail", "AlarmsByEmail", "MayUseKey", "MayReadWebhookSecret", "DashboardOfStage"]
                .contains(&id.as_str());
        assert_eq!(resource.get("Condition").is_some(), outlives || is_asked_for, "{id}");
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
fn schedule_that_fires_at_once_is_made_after_the_table_and_the_loop() {
    let template = one_of_everything();
    for (id, schedule) in template.of_type("AWS::Scheduler::Schedule") {
        let description = schedule["Description"].to_string();
        assert!(description.contains(r#"["NewTable",{"Ref":"Table"}"#), "{id}: {description}");
        assert!(description.contains(r#"["NewLoop",{"Fn::GetAtt":["Loop","Name"]}"#), "{id}: {description}");
    }
}

#[test]
fn fire_that_cannot_be_sent_is_kept_for_the_conductor() {
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
fn declared_schedule_that_fires_sends_its_name_and_its_time() {
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
fn sweep_that_fails_or_is_late_is_left_out_for_the_next() {
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
fn execution_that_ends_badly_is_told_to_the_conductor() {
    let template = one_of_everything();
    for (rule, statuses, message) in [
        (
            "RuleOfStopped",
            json!(["ABORTED", "TIMED_OUT"]),
            r#"{"ended/1":{"execution":<execution>,"status":<status>,"started":<started>}}"#,
        ),
        (
            "RuleOfFailed",
            json!(["FAILED"]),
            r#"{"ended/1":{"execution":<execution>,"status":<status>,"started":<started>,"error":<error>,"cause":<cause>}}"#,
        ),
    ] {
        let rule = template.properties(rule);
        assert_eq!(rule["EventPattern"]["detail"]["status"], statuses);
        assert_eq!(rule["Targets"][0]["Arn"], json!({ "Fn::GetAtt": ["ConductorQueue", "Arn"] }));
        let transformer = &rule["Targets"][0]["InputTransformer"];
        assert_eq!(transformer["InputTemplate"], message);
        assert_eq!(transformer["InputPathsMap"]["execution"], "$.detail.name");
        assert_eq!(transformer["InputPathsMap"]["started"], "$.detail.startDate");
    }
}

#[test]
fn failure_that_does_not_mend_itself_has_an_alarm() {
    let template = one_of_everything();
    let mut alarms: Vec<String> = template.of_type("AWS::CloudWatch::Alarm").map(|(id, _)| id).collect();
    alarms.sort();
    let expected = [
        "ConductorBacklog",
        "ConductorFails",
        "ConductorIsSilent",
        "NightlyReportBacklog",
        "RunsFail",
        "SendWelcomeBacklog",
        "Throttled",
        "UndeliveredRemain",
        "UserJoinedBacklog",
        "UserJoinedDropped",
    ];
    assert_eq!(alarms, expected);
    for (alarm, queue, threshold) in [
        ("UserJoinedBacklog", "${App}-${Stage}-user-joined", "AlarmOldestMessageSeconds"),
        ("UserJoinedDropped", "${App}-${Stage}-user-joined-dead", "AlarmDeadLetters"),
    ] {
        let alarm = template.properties(alarm);
        assert_eq!(alarm["Dimensions"][0]["Value"]["Fn::Sub"], queue);
        assert_eq!(alarm["Threshold"]["Ref"], threshold);
    }
    let silent = template.properties("ConductorIsSilent");
    assert_eq!(silent["TreatMissingData"], "breaching");
}

#[test]
fn template_of_the_same_functions_in_another_order_is_the_same() {
    let manifest = manifest();
    let mut backwards = manifest.functions.clone();
    backwards.reverse();
    let other = Manifest { made_ms: 1, ..Manifest::new(&manifest.app, backwards).unwrap() };
    assert_eq!(
        template(&manifest, &OwnResources::default()).unwrap().to_text(),
        template(&other, &OwnResources::default()).unwrap().to_text()
    );
}

#[test]
fn template_of_everything_has_no_null_which_cloudformation_refuses() {
    assert!(!one_of_everything().0.to_string().contains("null"));
}
