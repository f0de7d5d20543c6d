//! The output of commands: for people, or one JSON document for programs.

pub mod delivery;
mod lines;
mod run;
pub mod waiting;
mod warnings;

use std::{
    borrow::Cow,
    io::{IsTerminal, Write, stderr, stdin, stdout},
    process::ExitCode,
};

use console::{Alignment, Term, colors_enabled_stderr, measure_text_width, pad_str, strip_ansi_codes, style};
use dacapo::code;
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

    /// Is false where nothing reads it any more.
    fn say(&self, stream: Stream, text: &str) -> bool {
        waiting::is_over();
        match (&self.lines, stream) {
            (Some(lines), _) => {
                lines.add(stream, text);
                true
            }
            (None, Stream::Out) => writeln!(stdout(), "{text}").is_ok(),
            (None, Stream::Err) => writeln!(stderr(), "{text}").is_ok(),
        }
    }

    /// True if programs read it.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// True if a terminal shows it, where a bar can move.
    pub fn is_watched(&self) -> bool {
        !self.json && stderr().is_terminal()
    }

    /// True if a person can be asked: at a terminal, on both sides.
    pub fn can_ask(&self) -> bool {
        self.is_watched() && stdin().is_terminal()
    }

    /// Asks, and is true where the answer is yes.
    pub fn asks(&self, question: &str) -> bool {
        waiting::is_over();
        let mut answer = String::new();
        let is_asked = write!(stderr(), "{question}").and_then(|()| stdin().read_line(&mut answer)).is_ok();
        is_asked && matches!(answer.trim(), "y" | "Y" | "yes")
    }

    /// Prints what a command gives: the document for programs, the text for people. JSON within the document is written
    /// as it is, to the last digit.
    pub fn give(&self, document: &impl Serialize, text: impl FnOnce() -> String) -> ExitCode {
        let text = if self.json { serde_json::to_string_pretty(document) } else { Ok(text()) };
        let text = match text {
            Ok(text) => text,
            Err(error) => return self.failure(&CliError::failed(format!("failed to write JSON: {error}"))),
        };
        // A reader that has gone away, as `head` does, is no error.
        self.say(Stream::Out, text.trim_end_matches('\n'));
        ExitCode::SUCCESS
    }

    /// Prints the next of several: a document on a line of its own for programs, the text for people. Is false where
    /// nothing reads it any more.
    pub fn add(&self, document: &impl Serialize, text: impl FnOnce() -> String) -> bool {
        let text = if self.json { serde_json::to_string(document) } else { Ok(text()) };
        match text {
            Ok(text) => self.say(Stream::Out, text.trim_end_matches('\n')),
            Err(error) => {
                self.failure(&CliError::failed(format!("failed to write JSON: {error}")));
                false
            }
        }
    }

    /// Prints the next state of what is watched: on a terminal in place of the one before, else as [`add`](Self::add).
    pub fn replace(&self, document: &impl Serialize, text: impl FnOnce() -> String) -> bool {
        if self.is_shown() {
            // A terminal that can't be cleared shows one below the other.
            let _ = Term::stdout().clear_screen();
        }
        self.add(document, text)
    }

    /// True if a terminal shows what is printed.
    pub fn is_shown(&self) -> bool {
        !self.json && stdout().is_terminal()
    }

    /// Says something on the side, for people.
    pub fn note(&self, text: &str) {
        if !self.json {
            let text = if colors_enabled_stderr() { text.into() } else { strip_ansi_codes(text) };
            self.say(Stream::Err, &text);
        }
    }

    /// Says on standard error what failed.
    ///
    /// For programs that is one document, `{"error": {"kind", "message", "exit"}}`, with `next` where a command helps.
    pub fn failure(&self, failure: &CliError) -> ExitCode {
        let CliError { code, message, next, .. } = failure;
        let line = if self.json {
            let mut error = json!({"kind": failure.kind(), "message": message, "exit": code});
            if let Some(next) = next {
                error["next"] = json!(next);
            }
            json!({ "error": error }).to_string()
        } else {
            let next = next.as_ref().map(|next| format!("\nnext: {}", plain(next))).unwrap_or_default();
            format!("{} {}{next}", style("error:").for_stderr().red().bold(), plain(message))
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

/// The text of a page, with what it leaves out and the options of the next one, where there is one.
pub fn page(mut text: String, unreadable: &[String], more: Option<String>) -> String {
    for problem in unreadable {
        text += &format!("\nleft out: {}", plain(problem));
    }
    if let Some(more) = more {
        text += &format!("\nmore with {more}");
    }
    text
}

/// The options of the next page beside those of this one: a cursor is for the same bounds of time, wherever "2 hours ago"
/// is by then.
pub fn more(cursor: Option<&str>, since: Option<Timestamp>, until: Option<Timestamp>) -> Option<String> {
    let bound = |option: &str, at: Option<Timestamp>| at.map(|at| format!("{option} {at} ")).unwrap_or_default();
    cursor.map(|cursor| format!("{}{}--cursor {cursor}", bound("--since", since), bound("--until", until)))
}

/// The command that explains an error code, where it is one of Dacapo's own.
pub fn explained(code: Option<&str>) -> Option<String> {
    let code = code::ALL.iter().find(|known| Some(**known) == code)?;
    Some(format!("dacapo help {code}"))
}

/// A word as a shell reads it.
pub fn quoted(word: &str) -> String {
    let word = plain(word);
    shlex::try_quote(&word).map(Cow::into_owned).unwrap_or_default()
}

/// The plain text on one line, cut where it gets long.
pub fn line(text: &str, columns: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    console::truncate_str(&plain(&words.join(" ")), columns, "…").into_owned()
}
