//! Alarms: messages that aren't taken, dead letters, and a conductor that fails or is silent.

use dacapo_domain::{APP_DLQ, CONDUCTOR, FunctionEntry};
use serde_json::{Value, json};

use crate::{
    names::{HAS_ALARM_TOPIC, id, name},
    resource::{Named, Resource},
};

/// The age of a message that alarms: above a task's visibility timeout and one run of it, so that a single crash, which
/// the conductor repairs, causes no alarm.
const OLDEST_MESSAGE_S: u32 = 3 * 3_600;

/// One metric, and the condition under which it alarms.
struct Alarm {
    what: String,
    metric: (&'static str, &'static str),
    dimension: (&'static str, Value),
    statistic: &'static str,
    comparison: &'static str,
    threshold: u32,
    /// Periods of five minutes, all of which must breach.
    periods: u32,
    missing: &'static str,
}

pub(crate) fn add(function: &FunctionEntry, resources: &mut Named<Resource>) {
    let slug = &function.name;
    let old = format!("A message waits in {slug}'s queue for more than three hours");
    match function.dlq() {
        Some(dlq) => resources.add(id(slug, "Dropped"), dropped_or_old(slug, &dlq, &old)),
        None => {
            let old = Alarm {
                metric: ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
                threshold: OLDEST_MESSAGE_S,
                ..Alarm::on_queue(slug, old + ".")
            };
            resources.add(id(slug, "Backlog"), old.resource());
        }
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
}

/// The alarm of a function with a dead-letter queue: both things in one, since a stack holds 500 resources.
fn dropped_or_old(slug: &str, dlq: &str, old: &str) -> Resource {
    let metric = |id: &str, name_of_metric: &str, queue: &str| {
        let dimensions = [json!({ "Name": "QueueName", "Value": name(queue) })];
        let metric = json!({ "Namespace": "AWS/SQS", "MetricName": name_of_metric, "Dimensions": dimensions });
        json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": 300, "Stat": "Maximum" }, "ReturnData": false })
    };
    let either = format!("MAX([FILL(dropped, 0), IF(FILL(age, 0) >= {OLDEST_MESSAGE_S}, 1, 0)])");
    Resource::new(
        "AWS::CloudWatch::Alarm",
        json!({
            "AlarmDescription": format!("{slug} gave up on an event, which is in its dead-letter queue. Or: {old}."),
            "Metrics": [
                metric("dropped", "ApproximateNumberOfMessagesVisible", dlq),
                metric("age", "ApproximateAgeOfOldestMessage", slug),
                { "Id": "either", "Expression": either, "ReturnData": true },
            ],
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1,
            "EvaluationPeriods": 1,
            "TreatMissingData": "notBreaching",
            "AlarmActions": told(),
        }),
    )
}

/// The topic that alarms tell, where there is one.
fn told() -> Value {
    json!({ "Fn::If": [HAS_ALARM_TOPIC, [{ "Ref": "AlarmTopic" }], { "Ref": "AWS::NoValue" }] })
}

impl Alarm {
    /// The alarm that a queue shows a message.
    fn on_queue(queue: &str, what: String) -> Self {
        Self {
            what,
            metric: ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
            dimension: ("QueueName", name(queue)),
            statistic: "Maximum",
            comparison: "GreaterThanOrEqualToThreshold",
            threshold: 1,
            periods: 1,
            missing: "notBreaching",
        }
    }

    fn on_conductor(what: &str) -> Self {
        Self { dimension: ("FunctionName", name(CONDUCTOR)), ..Self::on_queue(CONDUCTOR, what.to_owned()) }
    }

    fn resource(self) -> Resource {
        Resource::new(
            "AWS::CloudWatch::Alarm",
            json!({
                "AlarmDescription": self.what,
                "Namespace": self.metric.0,
                "MetricName": self.metric.1,
                "Dimensions": [{ "Name": self.dimension.0, "Value": self.dimension.1 }],
                "Statistic": self.statistic,
                "ComparisonOperator": self.comparison,
                "Threshold": self.threshold,
                "Period": 300,
                "EvaluationPeriods": self.periods,
                "TreatMissingData": self.missing,
                "AlarmActions": told(),
            }),
        )
    }
}
