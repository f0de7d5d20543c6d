//! The price of a million runs that make the calls that were counted.

use dacapo_domain::{PRICES_OF, Usage};

use super::calls::Calls;
use crate::table::Row;

/// A million runs that make these calls and leave a record of so many bytes.
pub fn rows(calls: &Calls, record_bytes: usize) -> Vec<Row> {
    let usage = Usage {
        write_units: calls.write_units,
        reads: calls.dynamodb_reads(),
        messages: calls.of("sqs"),
        transitions: calls.of("states"),
        record_bytes: record_bytes as f64,
        ..Usage::SHORT
    };
    let row = |(what, price)| Row::note(format!("a million such runs: {what}"), dollars(price));
    let mut rows: Vec<Row> = usage.parts_of_a_million().into_iter().map(row).collect();
    let sum = dollars(usage.price_of_a_million());
    rows.push(Row::new(format!("a million such runs ({PRICES_OF})"), sum, "≤ $6"));
    rows
}

fn dollars(price: f64) -> String {
    format!("${price:.2}")
}
