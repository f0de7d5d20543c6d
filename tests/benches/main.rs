//! Speed, size and cost, side by side with what is to be reached: `make bench`.
//!
//! Nothing here is asserted: a busy machine is no mistake. What can't be measured says why, and the rest goes on.
//! All sections are measured in turns, in as many rounds as [`ROUNDS`] says; the table has the median of each row and the
//! least and the most beside it, and the command of its section. [`JSON`] names a file for the same as JSON.

mod aws;
mod dev;
mod engine;
mod figure;
mod http;
mod invocation;
mod list;
mod load;
mod machine;
mod restate;
mod runtime_api;
mod side_by_side;
mod start;
mod table;
mod year;
mod zips;

use std::{collections::BTreeMap, env, fs, process::ExitCode};

use table::{Row, Table};

type AnyError = Box<dyn std::error::Error + Send + Sync>;
type Measure = fn() -> Result<Vec<Row>, AnyError>;

/// The variable for how often each section is measured; once where it isn't set.
const ROUNDS: &str = "DACAPO_BENCH_ROUNDS";
/// The variable for the file that is written.
const JSON: &str = "DACAPO_BENCH_JSON";

/// Measurements that belong together.
struct Section {
    name: &'static str,
    title: &'static str,
    measure: Measure,
    /// Is true where it counts: each round would see the same.
    counts: bool,
}

const fn timed(name: &'static str, title: &'static str, measure: Measure) -> Section {
    Section { name, title, measure, counts: false }
}

const fn counted(name: &'static str, title: &'static str, measure: Measure) -> Section {
    Section { name, title, measure, counts: true }
}

const SECTIONS: [Section; 10] = [
    counted("aws", "AWS calls, counted from requests, and their price", aws::measure),
    timed("invocation", "Time per invocation, in-memory ports", invocation::measure),
    timed("start", "Start and memory of a function", start::measure),
    counted("zips", "Zipped functions", zips::measure),
    timed("engine", "Embedded engine, handlers in process, database in a file", engine::measure),
    timed("load", "Limits of load on the embedded engine", load::measure),
    timed("dev", "dev, handlers as processes, runs started over HTTP, database in a file", dev::measure),
    timed("restate", "The same on Restate's server, side by side", side_by_side::measure),
    timed("year", "Embedded engine under virtual time", year::measure),
    timed("list", "Lists of runs and deliveries, first page of 50", list::measure),
];

fn main() -> ExitCode {
    if let Some(ended) = dev::engine_of_a_child() {
        return ended;
    }
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<(), AnyError> {
    let (rounds, sections) = (rounds()?, wanted()?);
    let mut seen: BTreeMap<usize, Vec<Vec<Row>>> = BTreeMap::new();
    for round in 1..=rounds {
        for (at, section) in sections.iter().enumerate().filter(|(_, section)| round == 1 || !section.counts) {
            eprintln!("measuring {}, round {round} of {rounds} …", section.name);
            let rows = (section.measure)().unwrap_or_else(|error| vec![Row::note("not measured", error.to_string())]);
            seen.entry(at).or_default().push(rows);
        }
    }
    let mut table = Table::default();
    for (section, rounds) in sections.iter().zip(seen.into_values()) {
        table.add(section.title, &format!("cargo bench --package dacapo-tests -- {}", section.name), rounds);
    }
    table.print();
    if let Some(file) = env::var_os(JSON).filter(|file| !file.is_empty()) {
        fs::write(&file, table.json()).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn rounds() -> Result<u32, AnyError> {
    let Ok(rounds) = env::var(ROUNDS) else { return Ok(1) };
    let read = rounds.parse().ok().filter(|rounds| (1..=100).contains(rounds));
    read.ok_or_else(|| format!("{ROUNDS} is {rounds:?} (allowed: 1 to 100)").into())
}

/// The sections whose names are given; all where none is.
fn wanted() -> Result<Vec<Section>, AnyError> {
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let Some(other) = wanted.iter().find(|name| SECTIONS.iter().all(|section| section.name != *name)) {
        let names = SECTIONS.map(|section| section.name).join(", ");
        return Err(format!("no section is named {other:?} (there are: {names})").into());
    }
    let is_wanted = |section: &Section| wanted.is_empty() || wanted.iter().any(|name| section.name == name);
    Ok(SECTIONS.into_iter().filter(is_wanted).collect())
}
