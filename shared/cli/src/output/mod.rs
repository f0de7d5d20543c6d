//! The output of commands: for people, or one JSON document for programs.

pub mod delivery;
mod lines;
mod run;
mod warnings;

use std::{
    io::{IsTerminal, Write, stderr, stdout},
    process::ExitCode,
};

use console::{Alignment, measure_text_width, pad_str, style};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::failure::CliError;
use lines::{Lines, Stream};

pub use dacapo_dashboard::show::plain;
pub use run::{outcome, runs, whole};

/// The output of a command.
#[derive(Clone)]
pub struct Output {
    json: bool,
    /// The way of a command that goes on, which may not wait for who reads.
    lines: Option<Lines>,
}

/// A table for a terminal: a heading and rows of as many cells.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Output {
    /// An output for people, or for programs.
    pub const fn new(json: bool) -> Self {
        Self { json, lines: None }
    }

    /// The output of a command that goes on: nothing waits until it is read, and what is not read is left out. It also
    /// has the warnings of what runs in this process.
    pub fn that_goes_on(&self) -> Self {
        let lines = Lines::written(|stream, line| match stream {
            Stream::Out => writeln!(stdout(), "{line}"),
            Stream::Err => writeln!(stderr(), "{line}"),
        });
        if !self.json {
            // Where something else hears them already, it goes on doing so.
            let _ = tracing::subscriber::set_global_default(warnings::subscriber(lines.clone()));
        }
        Self { json: self.json, lines: Some(lines) }
    }

    /// Waits at the end of a command that goes on until its words are read, but not for long.
    pub fn finish(&self) {
        if let Some(lines) = &self.lines {
            lines.finish();
        }
    }

    fn say(&self, stream: Stream, text: &str) {
        // A reader that has gone away, as `head` does, is no error.
        let _ = match (&self.lines, stream) {
            (Some(lines), _) => return lines.add(stream, text),
            (None, Stream::Out) => writeln!(stdout(), "{text}"),
            (None, Stream::Err) => writeln!(stderr(), "{text}"),
        };
    }

    /// True if programs read it.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// True if a terminal shows it, where a bar can move.
    pub fn is_watched(&self) -> bool {
        !self.json && stderr().is_terminal()
    }

    /// Prints what a command gives: the document for programs, the text for people. JSON within the document is written
    /// as it is, to the last digit.
    pub fn give(&self, document: &impl Serialize, text: impl FnOnce() -> String) -> ExitCode {
        if !self.json {
            self.say(Stream::Out, text().trim_end_matches('\n'));
            return ExitCode::SUCCESS;
        }
        match serde_json::to_string_pretty(document) {
            Ok(document) => self.say(Stream::Out, &document),
            Err(error) => return self.failure(&CliError::failed(format!("failed to write JSON: {error}"))),
        }
        ExitCode::SUCCESS
    }

    /// Says something on the side, for people.
    pub fn note(&self, text: &str) {
        if !self.json {
            self.say(Stream::Err, text);
        }
    }

    /// Says on standard error what failed.
    ///
    /// For programs that is one document, `{"error": {"kind", "message", "exit"}}`.
    pub fn failure(&self, failure: &CliError) -> ExitCode {
        let CliError { code, message } = failure;
        let line = match self.json {
            true => json!({"error": {"kind": failure.kind(), "message": message, "exit": code}}).to_string(),
            false => format!("{} {}", style("error:").for_stderr().red().bold(), plain(message)),
        };
        self.say(Stream::Err, &line);
        ExitCode::from(*code)
    }
}

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| style(*heading).dim().to_string()).collect()] }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// The lines of the table. Colours count for nothing, wide letters for two.
    pub fn text(&self) -> String {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| measure_text_width(&row[column])).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| pad_str(cell, *width, Alignment::Left, None));
            text += cells.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        text
    }
}

/// The current time by this machine's clock, for what is only shown or asked without a client.
pub fn now() -> Timestamp {
    dacapo_core::port::Clock::now(&dacapo_core::port::SystemClock)
}

/// The text of a page, with what it leaves out and where the next one begins.
pub fn page(mut text: String, unreadable: &[String], cursor: Option<&str>) -> String {
    for problem in unreadable {
        text += &format!("\nleft out: {}", plain(problem));
    }
    if let Some(cursor) = cursor {
        text += &format!("\nmore with --cursor {cursor}");
    }
    text
}

/// The plain text on one line, cut where it gets long.
pub fn line(text: &str, columns: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    console::truncate_str(&plain(&words.join(" ")), columns, "…").into_owned()
}
