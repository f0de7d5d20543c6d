//! Processes that are killed at a random moment, or whose disk is full, lose nothing that was acknowledged.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "these are tests: what fails ends them")]

mod engine;
mod store;

use std::{
    env,
    fmt::Display,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

/// The variable for the database of the process that is killed; also what makes this binary that process.
const FILE: &str = "DACAPO_TESTS_KILLED_FILE";

fn file() -> Option<PathBuf> {
    env::var_os(FILE).map(PathBuf::from)
}

/// This binary, which runs one of its tests.
fn this_test(name: &str) -> Command {
    let mut process = Command::new(env::current_exe().unwrap());
    process.args(["--exact", name, "--nocapture"]);
    process
}

/// Says on standard output, in one write, that something has happened.
fn say(what: &str, of: impl Display) {
    let line = format!("\n{what} {of}\n");
    std::io::stdout().write_all(line.as_bytes()).expect("somebody listens");
}

/// Starts the process, kills it once it has said this so many times, and gives all that it said.
fn lines_until_killed(process: &mut Command, what: &str, count: usize) -> Vec<String> {
    let mut process = process.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let (mut lines, mut line, mut said) = (vec![], String::new(), 0);
    // A last line without its end was not said.
    while output.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        said += usize::from(line.starts_with(what));
        lines.push(std::mem::take(&mut line));
        if said == count {
            process.kill().unwrap(); // SIGKILL
        }
    }
    process.wait().unwrap();
    lines
}
