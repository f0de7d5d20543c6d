//! List prices, and what a million runs cost by them.

/// The region and the month of the list prices below, in US dollars, free tiers left out.
pub const OF: &str = "us-east-1, arm64, 2026-11";
/// A million requests of Lambda.
const LAMBDA_REQUESTS: f64 = 0.20;
/// A million GB-seconds of Lambda on arm64.
const LAMBDA_GB_SECONDS: f64 = 13.3334;
/// A million requests of a standard queue, each of up to 64 KB.
const SQS_REQUESTS: f64 = 0.40;
/// A million write request units of a table on demand, each of up to 1 KB.
const DYNAMODB_WRITES: f64 = 0.625;
/// A million read request units, each a strongly consistent read of up to 4 KB.
const DYNAMODB_READS: f64 = 0.125;
/// A GB-month in a table, and the same in its backups of any point in time.
const DYNAMODB_GB_MONTH: f64 = 0.25 + 0.20;
/// A million transitions of a standard state machine.
const TRANSITIONS: f64 = 25.0;

/// The memory of a run's function, and the time of its handler: 128 MB and 20 ms.
const MEMORY_GB: f64 = 128.0 / 1024.0;
const HANDLER_S: f64 = 0.020;
/// The time that a write of DynamoDB adds to what Lambda bills, about.
const WRITE_S: f64 = 0.005;
/// Writes of a run that its function waits for: the start and the end.
const AWAITED_WRITES: f64 = 2.0;
/// The mapping's own requests for a message, where none shares them: receive and delete.
const MAPPING_REQUESTS: f64 = 2.0;
/// The months that a record is kept.
const KEPT_MONTHS: f64 = 14.0 / 30.4;
/// The bytes that DynamoDB adds to an item, and an entry of its list index with what DynamoDB adds to that: keys alone, as
/// `run/{26}`, `record`, `run/send-welcome/03`, `{26}` beside their four names.
const OVERHEAD_BYTES: f64 = 100.0 + 97.0 + 100.0;

/// The use that one run makes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// DynamoDB's write units, those of the indexes included.
    pub write_units: f64,
    /// The reads, of up to 4 KB each.
    pub reads: f64,
    /// Messages sent.
    pub sends: f64,
    /// States that a loop entered.
    pub transitions: f64,
    /// Size of the record that is left.
    pub record_bytes: f64,
}

/// The cost of a million such runs in dollars, part by part.
#[must_use]
pub fn of_a_million(used: Used) -> [(&'static str, f64); 7] {
    let seconds = HANDLER_S + AWAITED_WRITES * WRITE_S;
    let stored_gb_months = (used.record_bytes + OVERHEAD_BYTES) * 1e6 / 1e9 * KEPT_MONTHS;
    [
        ("DynamoDB writes", used.write_units * DYNAMODB_WRITES),
        ("DynamoDB reads", used.reads * DYNAMODB_READS),
        ("DynamoDB storage and backup, 14 days", stored_gb_months * DYNAMODB_GB_MONTH),
        ("SQS send, receive, delete", (used.sends + MAPPING_REQUESTS) * SQS_REQUESTS),
        ("Lambda requests", LAMBDA_REQUESTS),
        ("Lambda GB-seconds, 128 MB, 20 ms and two writes", seconds * MEMORY_GB * LAMBDA_GB_SECONDS),
        ("Step Functions", used.transitions * TRANSITIONS),
    ]
}
