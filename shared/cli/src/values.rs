//! The values of arguments: a body, a run's id, a time.

use std::io::Read;

use dacapo_domain::{Id, Json};
use jiff::Timestamp;

use crate::failure::{CliError, CliResult};

/// Reads a `--body`: JSON, `@file`, or `-` for standard input. Without one it is `{}`.
///
/// # Errors
/// As usage, if the file can't be read or isn't JSON; it says where.
pub fn body(given: Option<&str>) -> CliResult<Json> {
    given.map_or_else(|| Ok(Json::default()), |given| json("--body", given))
}

/// Reads an argument of this name: JSON, `@file`, or `-` for standard input.
///
/// # Errors
/// As usage, if the file can't be read or isn't JSON; it says where.
pub fn json(name: &str, given: &str) -> CliResult<Json> {
    let (source, text) = match (given, given.strip_prefix('@')) {
        ("-", _) => ("standard input".to_owned(), std::io::read_to_string(std::io::stdin())),
        (_, Some(file)) => (file.to_owned(), read_file(file)),
        _ => (name.to_owned(), Ok(given.to_owned())),
    };
    let text = text.map_err(|error| CliError::usage(format!("failed to read {source}: {error}")))?;
    parse(&source, &text, source == name)
}

fn read_file(file: &str) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?.read_to_string(&mut text)?;
    Ok(text)
}

fn parse(name: &str, text: &str, is_typed: bool) -> CliResult<Json> {
    if text.trim().is_empty() {
        return Err(CliError::usage(format!("{name} is empty (expected one JSON value, such as '{{}}')")));
    }
    let body = Json::from_text(text.trim_start_matches('\u{feff}')).map_err(|error| {
        // A text that was typed bare, such as --body hello, is the mistake that is made most.
        let hint = if error.line() == 1 && is_typed { " (quote it for the shell: '{\"a\": 1}')" } else { "" };
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        CliError::usage(format!("{name} is not JSON: {what} at line {line} column {column}{hint}"))
    })?;
    body.check().map_err(|error| CliError::usage(format!("{name} can't be used: {error}")))?;
    Ok(body)
}

/// Reads a run's id.
pub fn run_id(text: &str) -> Result<Id, String> {
    text.parse().map_err(|error: dacapo_domain::IdError| error.to_string())
}

/// Reads a `--from`.
pub fn timestamp(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "allowed are RFC 3339 timestamps, such as 2027-01-31T08:00:00Z".to_owned())
}
