//! Metrics: told as events of `tracing`, which a subscriber may write down. Where none wants them, they cost nothing.

use dacapo_domain::{Machine, Measured, Metric};
use tracing::Level;

/// The target of the events that tell metrics: each names its `function`, and has the metrics' values under their names.
pub const METRICS: &str = "dacapo::metrics";

/// Records what a change of a record counts for.
pub(crate) fn record_change<M: Machine>(seen: &M, input: &M::Input, next: &M) {
    if tracing::enabled!(target: METRICS, Level::INFO)
        && let Some(measured) = seen.measured(input, next)
    {
        record(&measured);
    }
}

/// Records it, where it counts for anything.
pub(crate) fn record(measured: &Measured) {
    if measured.values.is_empty() {
        return;
    }
    let of = |metric| measured.of(metric);
    tracing::info!(
        target: METRICS,
        function = measured.function,
        Started = of(Metric::Started),
        Completed = of(Metric::Completed),
        Failed = of(Metric::Failed),
        Retried = of(Metric::Retried),
        TimedOut = of(Metric::TimedOut),
        Duration = of(Metric::Duration),
        Delay = of(Metric::Delay),
        Deliveries = of(Metric::Deliveries),
        DeadLetters = of(Metric::DeadLetters),
        Parked = of(Metric::Parked),
    );
}
