//! Settings of a stage: thresholds of alarms, a dashboard, a key of the user's. Nothing of it must be given.

use serde_json::{Value, json};

use crate::read::one_of_everything;

#[test]
fn parameter_by_which_a_stage_is_watched_has_a_default() {
    let template = one_of_everything();
    for (name, default) in [
        ("AlarmTopic", json!("")),
        ("AlarmEmail", json!("")),
        ("AlarmDeadLetters", json!(1)),
        ("AlarmFailedRuns", json!(10)),
        ("AlarmOldestMessageSeconds", json!(10_800)),
        ("AlarmThrottles", json!(10)),
        ("Metrics", json!("on")),
        ("Dashboard", json!("off")),
        ("KmsKey", json!("")),
    ] {
        assert_eq!(template.0["Parameters"][name]["Default"], default, "{name}");
    }
}

#[test]
fn threshold_of_an_alarm_is_the_parameter_that_is_named_for_it() {
    let template = one_of_everything();
    for (alarm, parameter) in [
        ("SendWelcomeBacklog", "AlarmOldestMessageSeconds"),
        ("RunsFail", "AlarmFailedRuns"),
        ("Throttled", "AlarmThrottles"),
    ] {
        assert_eq!(template.properties(alarm)["Threshold"], json!({ "Ref": parameter }), "{alarm}");
    }
    let failing = template.properties("RunsFail");
    assert_eq!((&failing["Namespace"], &failing["MetricName"]), (&json!("Dacapo"), &json!("Failed")));
    let dimensions: Vec<&Value> = failing["Dimensions"].as_array().unwrap().iter().map(|of| &of["Name"]).collect();
    assert_eq!(dimensions, ["App", "Stage"]);
    assert_eq!(template.properties("Throttled")["Dimensions"], json!([]));
}

#[test]
fn alarm_counts_for_as_many_minutes_as_the_guide_says() {
    let template = one_of_everything();
    for (alarm, metric, comparison, minutes) in [
        ("SendWelcomeBacklog", "ApproximateAgeOfOldestMessage", "GreaterThanOrEqualToThreshold", 5),
        ("UserJoinedDropped", "ApproximateNumberOfMessagesVisible", "GreaterThanOrEqualToThreshold", 5),
        ("RunsFail", "Failed", "GreaterThanOrEqualToThreshold", 5),
        ("Throttled", "Throttles", "GreaterThanOrEqualToThreshold", 5),
        ("ConductorIsSilent", "Invocations", "LessThanThreshold", 5),
        ("ConductorFails", "Errors", "GreaterThanOrEqualToThreshold", 15),
        ("UndeliveredRemain", "ApproximateNumberOfMessagesVisible", "GreaterThanOrEqualToThreshold", 15),
    ] {
        let alarm = template.properties(alarm);
        let seconds = alarm["Period"].as_u64().unwrap() * alarm["EvaluationPeriods"].as_u64().unwrap();
        let told = (&alarm["MetricName"], &alarm["ComparisonOperator"], seconds / 60);
        assert_eq!(told, (&json!(metric), &json!(comparison), minutes), "{alarm}");
    }
}

#[test]
fn alarm_tells_the_topic_that_is_given_or_else_an_address_by_a_topic_of_the_stacks_own() {
    let template = one_of_everything();
    let by_email = json!({ "Fn::If": ["HasAlarmEmail", [{ "Ref": "AlarmsByEmail" }], { "Ref": "AWS::NoValue" }] });
    let told = json!({ "Fn::If": ["HasAlarmTopic", [{ "Ref": "AlarmTopic" }], by_email] });
    for (id, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["AlarmActions"], told, "{id}");
    }
    let topic = &template.resources()["AlarmsByEmail"];
    assert_eq!(topic["Condition"], "HasAlarmEmail");
    assert_eq!(topic["Properties"]["Subscription"][0]["Endpoint"], json!({ "Ref": "AlarmEmail" }));
}

#[test]
fn dashboard_is_there_on_request_and_shows_every_metric_of_the_app() {
    let template = one_of_everything();
    assert_eq!(template.resources()["DashboardOfStage"]["Condition"], "HasDashboard");
    let body = template.properties("DashboardOfStage")["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let searches: Vec<String> = body["widgets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|widget| widget["properties"]["metrics"][0][0]["expression"].as_str().unwrap().to_owned())
        .collect();
    for metric in
        ["Completed", "Failed", "Retried", "TimedOut", "Duration", "Delay", "Deliveries", "DeadLetters", "Parked"]
    {
        let search = format!(r#"{{Dacapo,App,Stage,Function}} MetricName="{metric}" App="${{App}}""#);
        assert!(searches.iter().any(|of| of.contains(&search)), "{metric}: {searches:?}");
    }
}

#[test]
fn key_of_the_users_encrypts_the_table_all_queues_and_all_logs_and_all_that_use_them_may_use_it() {
    let template = one_of_everything();
    let key = json!({ "Ref": "KmsKey" });
    let given = |value: &Value| {
        let parts = value["Fn::If"].as_array().unwrap_or_else(|| panic!("{value} depends on nothing"));
        assert_eq!(parts[0], "HasKmsKey");
        (parts[1].clone(), parts[2].clone())
    };
    let none = json!({ "Ref": "AWS::NoValue" });
    let table = given(&template.properties("Table")["SSESpecification"]);
    assert_eq!((&table.0["KMSMasterKeyId"], &table.0["SSEType"]), (&key, &json!("KMS")));
    assert_eq!(table.1, json!({ "SSEEnabled": true }));
    for (id, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!(given(&queue["KmsMasterKeyId"]), (key.clone(), none.clone()), "{id}");
        assert_eq!(given(&queue["SqsManagedSseEnabled"]), (json!(false), json!(true)), "{id}");
    }
    for (id, log) in template.of_type("AWS::Logs::LogGroup") {
        assert_eq!(given(&log["KmsKeyId"]), (key.clone(), none.clone()), "{id}");
    }
    let policy = &template.resources()["MayUseKey"];
    assert_eq!(policy["Condition"], "HasKmsKey");
    let statement = &policy["Properties"]["PolicyDocument"]["Statement"][0];
    assert_eq!(statement["Resource"], key);
    let allowed: Vec<&Value> =
        policy["Properties"]["Roles"].as_array().unwrap().iter().map(|role| &role["Ref"]).collect();
    assert_eq!(allowed, ["ConductorRole", "NightlyReportRole", "SendWelcomeRole", "UserJoinedRole", "RoleOfScheduler"]);
}

#[test]
fn conductor_alone_reads_the_secret_of_webhooks_and_only_where_there_is_one() {
    let template = one_of_everything();
    assert_eq!(template.0["Parameters"]["EventUrlSecret"]["Default"], "");
    let policy = &template.resources()["MayReadWebhookSecret"];
    assert_eq!(policy["Condition"], "HasEventUrl");
    assert_eq!(policy["Properties"]["Roles"], json!([{ "Ref": "ConductorRole" }]));
    let statement = &policy["Properties"]["PolicyDocument"]["Statement"][0];
    assert_eq!(
        (&statement["Action"], &statement["Resource"]),
        (&json!(["secretsmanager:GetSecretValue"]), &json!({ "Ref": "EventUrlSecret" }))
    );
    let variables = |function: &str| template.properties(function)["Environment"]["Variables"].clone();
    let given = &variables("ConductorFunction")["DACAPO_SECRETS"]["Fn::If"];
    let secrets: Value = serde_json::from_str(given[1]["Fn::Sub"].as_str().unwrap()).unwrap();
    assert_eq!((&given[0], given[2]["Ref"].as_str()), (&json!("HasEventUrl"), Some("AWS::NoValue")));
    assert!(secrets["WEBHOOK_SECRET"].to_string().contains("${EventUrlSecret}"), "{secrets}");
    assert_eq!(variables("ConductorFunction")["DACAPO_TOKEN_URL"], json!({ "Ref": "TokenUrl" }));
    assert_eq!(variables("SendWelcomeFunction").get("DACAPO_SECRETS"), None);
}
