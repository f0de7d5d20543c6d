//! Alarms: messages that aren't taken, dead letters, runs that fail, throttles, and a conductor that fails or is silent.
//! Their thresholds are parameters of the stack.

use dacapo_domain::{APP_DLQ, CONDUCTOR, FunctionEntry};
use serde_json::{Value, json};

use crate::{
    names::{id, name},
    resource::{Named, Resource},
    settings::{DEAD_LETTERS, FAILED_RUNS, HAS_ALARM_EMAIL, HAS_ALARM_TOPIC, HAS_METRICS, OLDEST_MESSAGE_S, THROTTLES},
};

const ALARM: &str = "AWS::CloudWatch::Alarm";

/// One metric, and the condition under which it alarms.
struct Alarm {
    what: String,
    metric: (&'static str, &'static str),
    dimensions: Vec<(&'static str, Value)>,
    statistic: &'static str,
    comparison: &'static str,
    threshold: Value,
    /// Periods of five minutes, all of which must breach.
    periods: u32,
    missing: &'static str,
}

pub(crate) fn add(function: &FunctionEntry, resources: &mut Named<Resource>) {
    let slug = &function.name;
    let old = Alarm {
        metric: ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        threshold: parameter(OLDEST_MESSAGE_S),
        ..Alarm::on_queue(slug, format!("A message has waited in {slug}'s queue for too long."))
    };
    resources.add(id(slug, "Backlog"), old.resource());
    if let Some(dlq) = function.dlq() {
        let what = format!("{slug} gave up on an event, which is in its dead-letter queue.");
        let dropped = Alarm { threshold: parameter(DEAD_LETTERS), ..Alarm::on_queue(&dlq, what) };
        resources.add(id(slug, "Dropped"), dropped.resource());
    }
}

pub(crate) fn add_shared(resources: &mut Named<Resource>) {
    let app_dlq = Alarm {
        periods: 3,
        ..Alarm::on_queue(APP_DLQ, "The conductor doesn't drain the queue of undelivered messages.".to_owned())
    };
    resources.add("UndeliveredRemain", app_dlq.resource());
    let failing = Alarm {
        metric: ("AWS/Lambda", "Errors"),
        statistic: "Sum",
        periods: 3,
        ..Alarm::on_conductor("The conductor keeps failing; its log says why.")
    };
    resources.add("ConductorFails", failing.resource());
    // Throttled invocations aren't counted, so this also shows a conductor that the app's own load starves.
    let silent = Alarm {
        metric: ("AWS/Lambda", "Invocations"),
        statistic: "Sum",
        comparison: "LessThanThreshold",
        missing: "breaching",
        ..Alarm::on_conductor("The conductor, which is called every minute, wasn't for five.")
    };
    resources.add("ConductorIsSilent", silent.resource());
    let failed = Alarm {
        metric: ("Dacapo", "Failed"),
        dimensions: vec![("App", json!({ "Ref": "App" })), ("Stage", json!({ "Ref": "Stage" }))],
        statistic: "Sum",
        threshold: parameter(FAILED_RUNS),
        ..Alarm::on_queue(APP_DLQ, "Runs fail: `dacapo list --state failed` has them.".to_owned())
    };
    resources.add("RunsFail", Resource::conditional(ALARM, HAS_METRICS, failed.properties()));
    // The concurrency that they lack is the account's, whatever function takes it.
    let throttled = Alarm {
        metric: ("AWS/Lambda", "Throttles"),
        dimensions: vec![],
        statistic: "Sum",
        threshold: parameter(THROTTLES),
        ..Alarm::on_queue(APP_DLQ, "Functions of this region are throttled: their concurrency is used up.".to_owned())
    };
    resources.add("Throttled", throttled.resource());
    add_email(resources);
}

/// The topic of the stack's own, where there is an address and no topic.
fn add_email(resources: &mut Named<Resource>) {
    let properties = json!({
        "TopicName": name("alarms"),
        "Subscription": [{ "Protocol": "email", "Endpoint": { "Ref": "AlarmEmail" } }],
    });
    resources.add("AlarmsByEmail", Resource::conditional("AWS::SNS::Topic", HAS_ALARM_EMAIL, properties));
}

fn parameter(name: &str) -> Value {
    json!({ "Ref": name })
}

/// The topic that alarms tell, where there is one.
fn told() -> Value {
    let own = json!({ "Fn::If": [HAS_ALARM_EMAIL, [{ "Ref": "AlarmsByEmail" }], { "Ref": "AWS::NoValue" }] });
    json!({ "Fn::If": [HAS_ALARM_TOPIC, [{ "Ref": "AlarmTopic" }], own] })
}

impl Alarm {
    /// The alarm that a queue shows a message.
    fn on_queue(queue: &str, what: String) -> Self {
        Self {
            what,
            metric: ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
            dimensions: vec![("QueueName", name(queue))],
            statistic: "Maximum",
            comparison: "GreaterThanOrEqualToThreshold",
            threshold: json!(1),
            periods: 1,
            missing: "notBreaching",
        }
    }

    fn on_conductor(what: &str) -> Self {
        Self { dimensions: vec![("FunctionName", name(CONDUCTOR))], ..Self::on_queue(CONDUCTOR, what.to_owned()) }
    }

    fn resource(self) -> Resource {
        Resource::new(ALARM, self.properties())
    }

    fn properties(self) -> Value {
        let dimensions = self.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
        json!({
            "AlarmDescription": self.what,
            "Namespace": self.metric.0,
            "MetricName": self.metric.1,
            "Dimensions": dimensions.collect::<Vec<Value>>(),
            "Statistic": self.statistic,
            "ComparisonOperator": self.comparison,
            "Threshold": self.threshold,
            "Period": 300,
            "EvaluationPeriods": self.periods,
            "TreatMissingData": self.missing,
            "AlarmActions": told(),
        })
    }
}
