//! Calls by service and operation.

use std::collections::{BTreeMap, BTreeSet};

use crate::table::Row;

/// The calls of each operation of each service, and what DynamoDB bills for.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// By service and operation, as `("sqs", "SendMessage")`.
    pub operations: BTreeMap<(String, String), f64>,
    /// DynamoDB's write units, those of the indexes included.
    pub write_units: f64,
}

impl Calls {
    pub fn add(&mut self, service: &str, operation: &str) {
        *self.operations.entry((service.to_owned(), operation.to_owned())).or_default() += 1.0;
    }

    /// The share of one in so many.
    pub fn of_one(self, times: u32) -> Self {
        let times = f64::from(times);
        let operations = self.operations.into_iter().map(|(call, count)| (call, count / times)).collect();
        Self { operations, write_units: self.write_units / times }
    }

    /// The calls that these have more than others.
    pub fn less(mut self, others: &Self) -> Self {
        for (call, count) in &others.operations {
            *self.operations.entry(call.clone()).or_default() -= count;
        }
        self.operations.retain(|_, count| *count != 0.0);
        self.write_units -= others.write_units;
        self
    }

    pub fn of(&self, service: &str) -> f64 {
        self.operations
            .iter()
            .filter(|((of, _), _)| of == service)
            .map(|(_, count)| count)
            .fold(0.0, |sum, count| sum + count)
    }

    pub fn dynamodb_writes(&self) -> f64 {
        self.dynamodb(|operation| !is_read(operation))
    }

    pub fn dynamodb_reads(&self) -> f64 {
        self.dynamodb(is_read)
    }

    fn dynamodb(&self, counts: impl Fn(&str) -> bool) -> f64 {
        let calls =
            self.operations.iter().filter(|((service, operation), _)| service == "dynamodb" && counts(operation));
        calls.fold(0.0, |sum, (_, count)| sum + count)
    }

    /// A line for each service that was called or that something is wanted of.
    pub fn rows(&self, what: &str, wanted: &[(&str, &str)]) -> Vec<Row> {
        let mut lines: BTreeSet<&str> = wanted.iter().map(|(line, _)| *line).collect();
        for (service, _) in self.operations.keys() {
            if service == "dynamodb" && !lines.contains("dynamodb") {
                lines.extend(["dynamodb reads", "dynamodb write units", "dynamodb writes"]);
            } else {
                lines.insert(service);
            }
        }
        let row = |line: &str| {
            let seen = match line {
                "dynamodb reads" => self.named("dynamodb", is_read, self.dynamodb_reads()),
                "dynamodb writes" => self.named("dynamodb", |operation| !is_read(operation), self.dynamodb_writes()),
                "dynamodb write units" => format!("{}", self.write_units),
                service => self.named(service, |_| true, self.of(service)),
            };
            let wanted = wanted.iter().find(|(of, _)| *of == line).map_or("", |(_, wanted)| wanted);
            Row::new(format!("{what}: {line}"), seen, wanted)
        };
        lines.into_iter().map(row).collect()
    }

    /// A count and what it is made of, as `3 (1 PutItem, 2 UpdateItem)`.
    fn named(&self, service: &str, counts: impl Fn(&str) -> bool, sum: f64) -> String {
        let parts: Vec<String> = self
            .operations
            .iter()
            .filter(|((of, operation), _)| of == service && counts(operation))
            .map(|((_, operation), count)| format!("{count} {operation}"))
            .collect();
        if parts.is_empty() { format!("{sum}") } else { format!("{sum} ({})", parts.join(", ")) }
    }
}

fn is_read(operation: &str) -> bool {
    ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems", "DescribeTable"].contains(&operation)
}
