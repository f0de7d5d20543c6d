//! The output of commands: for people, or one JSON document for programs.

mod run;
mod text;

use std::{
    io::{IsTerminal, Write, stderr, stdout},
    process::ExitCode,
};

use console::style;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::failure::CliError;

pub use run::{outcome, runs, whole};
pub use text::{Table, line, plain};

/// The output of a command.
#[derive(Clone)]
pub struct Output {
    json: bool,
}

impl Output {
    /// An output for people, or for programs.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// True if programs read it.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// True if a terminal shows it, where a bar can move.
    pub fn is_watched(&self) -> bool {
        !self.json && stderr().is_terminal()
    }

    /// Prints what a command gives: the document for programs, the text for people.
    pub fn give(&self, document: &impl Serialize, text: impl FnOnce() -> String) -> ExitCode {
        match self.json {
            true => say(&serde_json::to_string_pretty(document).expect("what we give is JSON")),
            false => say(text().trim_end_matches('\n')),
        }
        ExitCode::SUCCESS
    }

    /// Says something on the side, for people.
    pub fn note(&self, text: &str) {
        if !self.json {
            let _ = writeln!(stderr(), "{text}");
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
        let _ = writeln!(stderr(), "{line}");
        ExitCode::from(*code)
    }
}

/// Prints to standard output. A reader that has gone away, as `head` does, is no error.
fn say(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

/// The current time by this machine's clock, for what is only shown or asked without a client.
pub fn now() -> Timestamp {
    dacapo_core::port::Clock::now(&dacapo_core::port::SystemClock)
}
