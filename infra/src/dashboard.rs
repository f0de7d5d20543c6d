//! The dashboard of a stage in CloudWatch, where it is asked for: one page, the same for any number of functions.

use serde_json::{Value, json};

use crate::{
    names::{prefix, sub},
    resource::{Named, Resource},
    settings::HAS_DASHBOARD,
};

/// Columns of a page.
const COLUMNS: usize = 24;
/// The size of a graph.
const GRAPH: (usize, usize) = (8, 6);

pub(crate) fn add(resources: &mut Named<Resource>) {
    let properties = json!({ "DashboardName": prefix(), "DashboardBody": sub(body().to_string()) });
    resources.add("DashboardOfStage", Resource::conditional("AWS::CloudWatch::Dashboard", HAS_DASHBOARD, properties));
}

fn body() -> Value {
    let graphs = [
        ("Completed", of_app("Completed", "Sum")),
        ("Failed", of_app("Failed", "Sum")),
        ("Retried", of_app("Retried", "Sum")),
        ("Timed out", of_app("TimedOut", "Sum")),
        ("Duration, 99th percentile", of_app("Duration", "p99")),
        ("Delay from due to started, 99th percentile", of_app("Delay", "p99")),
        ("Deliveries", of_app("Deliveries", "Sum")),
        ("Dead letters", of_app("DeadLetters", "Sum")),
        ("Parked", of_app("Parked", "Sum")),
        ("Age of the oldest message", of_aws("AWS/SQS", "QueueName", "ApproximateAgeOfOldestMessage", "Maximum")),
        ("Messages that wait", of_aws("AWS/SQS", "QueueName", "ApproximateNumberOfMessagesVisible", "Maximum")),
        ("Errors of Lambda", of_aws("AWS/Lambda", "FunctionName", "Errors", "Sum")),
        ("Throttled", of_aws("AWS/Lambda", "FunctionName", "Throttles", "Sum")),
        ("Invocations", of_aws("AWS/Lambda", "FunctionName", "Invocations", "Sum")),
    ];
    let (width, height) = GRAPH;
    let widgets = graphs.into_iter().enumerate().map(|(place, (title, search))| {
        let (x, y) = (place % (COLUMNS / width) * width, place / (COLUMNS / width) * height);
        let properties = json!({
            "title": title, "region": "${AWS::Region}", "view": "timeSeries",
            "metrics": [[{ "expression": search, "id": "e" }]],
        });
        json!({ "type": "metric", "x": x, "y": y, "width": width, "height": height, "properties": properties })
    });
    json!({ "widgets": widgets.collect::<Vec<Value>>() })
}

/// A metric of each function of the app.
fn of_app(metric: &str, statistic: &str) -> String {
    format!(
        r#"SEARCH('{{Dacapo,App,Stage,Function}} MetricName="{metric}" App="${{App}}" Stage="${{Stage}}"', '{statistic}', 300)"#
    )
}

/// A metric of AWS's own of each thing whose name begins with that of the stack.
fn of_aws(namespace: &str, dimension: &str, metric: &str, statistic: &str) -> String {
    format!(
        r#"SEARCH('{{{namespace},{dimension}}} MetricName="{metric}" {dimension}="${{App}}-${{Stage}}-"', '{statistic}', 300)"#
    )
}
