//! The price of a million runs that make the calls that were counted.

use dacapo_tests::price::{OF, Used, of_a_million};

use super::calls::Calls;
use crate::table::Row;

/// A million runs that make these calls and leave a record of so many bytes.
pub fn rows(calls: &Calls, record_bytes: usize) -> Vec<Row> {
    let parts = of_a_million(Used {
        write_units: calls.write_units,
        reads: calls.dynamodb_reads(),
        sends: calls.of("sqs"),
        transitions: calls.of("states"),
        record_bytes: record_bytes as f64,
    });
    let sum: f64 = parts.iter().map(|(_, price)| price).sum();
    let mut rows: Vec<Row> =
        parts.iter().map(|(what, price)| Row::note(format!("a million such runs: {what}"), dollars(*price))).collect();
    rows.push(Row::new(format!("a million such runs ({OF})"), dollars(sum), "≤ $6"));
    rows
}

fn dollars(price: f64) -> String {
    format!("${price:.2}")
}
