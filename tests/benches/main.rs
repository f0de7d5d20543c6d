//! Speed, size and cost, side by side with what is to be reached: `make bench`.
//!
//! Nothing here is asserted: a busy machine is no mistake. What can't be measured says why, and the rest goes on.
//! `make bench` runs all sections; `cargo bench -p dacapo-tests -- engine list` those with such names.

mod aws;
mod dev;
mod engine;
mod invocation;
mod list;
mod load;
mod machine;
mod restate;
mod runtime_api;
mod start;
mod steps;
mod table;
mod year;
mod zips;

use std::{env, process::ExitCode};

use table::{Row, Table};

type AnyError = Box<dyn std::error::Error + Send + Sync>;
type Section = fn() -> Result<Vec<Row>, AnyError>;

/// The sections in their order: a short name, a title, and what measures.
const SECTIONS: [(&str, &str, Section); 10] = [
    ("aws", "AWS calls, counted from requests, and their price", aws::measure),
    ("invocation", "Time per invocation, in-memory ports", invocation::measure),
    ("start", "Start and memory of a function", start::measure),
    ("zips", "Zipped functions", zips::measure),
    ("engine", "Embedded engine, handlers in process, database in a file", engine::measure),
    ("load", "Limits of load on the embedded engine", load::measure),
    ("dev", "dev, handlers as processes, runs started over HTTP, database in a file", dev::measure),
    ("steps", "A run of ten steps, side by side with Restate's server", steps::measure),
    ("year", "Embedded engine under virtual time", year::measure),
    ("list", "Lists of runs and deliveries, first page of 50", list::measure),
];

fn main() -> ExitCode {
    if let Some(ended) = dev::engine_of_a_child() {
        return ended;
    }
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut table = Table::default();
    for (name, title, measure) in SECTIONS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(&**wanted)) {
            continue;
        }
        eprintln!("measuring {name} …");
        let rows = measure().unwrap_or_else(|error| vec![Row::note("not measured", error.to_string())]);
        table.add(title, rows);
    }
    table.print();
    ExitCode::SUCCESS
}
