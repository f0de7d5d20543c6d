//! Metrics as CloudWatch reads them from a log: the embedded metric format, one line for what counts, and no call.
//!
//! Each metric is kept by app, stage and function; failed runs by app and stage too, for one alarm of all of them.

use serde_json::{Map, Value, json};

/// The namespace of the metrics.
const NAMESPACE: &str = "Dacapo";
/// The metrics that are kept for the app as a whole too.
const OF_APP: [&str; 1] = ["Failed"];
/// The metrics that are times.
const TIMES: [&str; 2] = ["Delay", "Duration"];

/// The line that tells metrics: `place` has app, stage and function, `told` the metrics, and the function that they are of,
/// where it is another.
pub(crate) fn line(place: &Map<String, Value>, told: Map<String, Value>, now_ms: u64) -> Value {
    let (of, values): (Map<String, Value>, Map<String, Value>) =
        told.into_iter().partition(|(name, _)| name == "function");
    let unit = |name: &str| if TIMES.contains(&name) { "Milliseconds" } else { "Count" };
    let named = |wanted: &dyn Fn(&str) -> bool| -> Vec<Value> {
        let names = values.keys().filter(|name| wanted(name));
        names.map(|name| json!({ "Name": name, "Unit": unit(name) })).collect()
    };
    let directive = |dimensions: &[&str], metrics| json!({ "Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics });
    let mut directives = vec![directive(&["App", "Stage", "Function"], named(&|_| true))];
    let of_app = named(&|name| OF_APP.contains(&name));
    if !of_app.is_empty() {
        directives.push(directive(&["App", "Stage"], of_app));
    }
    let dimension = |name: &str| of.get(name).or_else(|| place.get(name)).cloned().unwrap_or_default();
    let mut line = json!({
        "_aws": { "Timestamp": now_ms, "CloudWatchMetrics": directives },
        "App": dimension("app"), "Stage": dimension("stage"), "Function": dimension("function"),
    });
    for (name, value) in values {
        line[name] = value;
    }
    line
}
