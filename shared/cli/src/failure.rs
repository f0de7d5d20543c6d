//! The error of a command, its exit code, and suggestions for names that don't exist.

use dacapo::{Error, ErrorKind};

/// The exit codes. Scripts may rely on them.
pub mod exit {
    /// Success.
    pub const DONE: u8 = 0;
    /// An operation that failed; with `--wait`, and for `wait`, a run that did.
    pub const FAILED: u8 = 1;
    /// Arguments that can't be used. Nothing was done.
    pub const USAGE: u8 = 2;
    /// A run, task, event, queue, schedule or delivery that doesn't exist, or an app that isn't deployed.
    pub const NOT_FOUND: u8 = 3;
    /// No access: credentials are missing or refused, or the engine or endpoint doesn't answer.
    pub const NO_ACCESS: u8 = 4;

    /// All of them, with the word for each and what it means.
    pub const ALL: [(u8, &str, &str); 5] = [
        (DONE, "done", "done"),
        (
            FAILED,
            "failed",
            "the operation failed; with --wait, and for wait, the run did; for stats, something needs a look; for doctor, there \
             is a problem",
        ),
        (USAGE, "usage", "the arguments can't be used, and nothing was done"),
        (
            NOT_FOUND,
            "not-found",
            "there is no such run, task, event, queue, schedule or delivery, or the app isn't deployed",
        ),
        (NO_ACCESS, "no-access", "credentials are missing or refused, or the engine or endpoint doesn't answer"),
    ];
}

/// The error of a command: one line for people, and an exit code for programs.
#[derive(Debug)]
pub struct CliError {
    /// One of [`exit`].
    pub code: u8,
    /// The failure and its remedy.
    pub message: String,
    /// Is true where the app isn't there, or isn't reached.
    pub is_unreached: bool,
    /// The command to go on with, where one helps.
    pub next: Option<String>,
}

/// The result of a command, or of a part of it.
pub type CliResult<T> = Result<T, CliError>;

impl CliError {
    /// An operation that failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::of(exit::FAILED, message.into())
    }

    /// Arguments that can't be used.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::of(exit::USAGE, message.into())
    }

    /// A thing that doesn't exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::of(exit::NOT_FOUND, message.into())
    }

    const fn of(code: u8, message: String) -> Self {
        Self { code, message, is_unreached: false, next: None }
    }

    /// The word for its exit code, for programs.
    pub const fn kind(&self) -> &'static str {
        match self.code {
            exit::USAGE => exit::ALL[2].1,
            exit::NOT_FOUND => exit::ALL[3].1,
            exit::NO_ACCESS => exit::ALL[4].1,
            _ => exit::ALL[1].1,
        }
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Usage => exit::USAGE,
            ErrorKind::NotFound | ErrorKind::NotDeployed => exit::NOT_FOUND,
            ErrorKind::NoAccess | ErrorKind::Unreachable => exit::NO_ACCESS,
            ErrorKind::Refused | ErrorKind::Transient => exit::FAILED,
        };
        let is_unreached =
            matches!(error.kind(), ErrorKind::NotDeployed | ErrorKind::NoAccess | ErrorKind::Unreachable);
        Self { is_unreached, ..Self::of(code, error.to_string()) }
    }
}

/// An ending for "there is no …": the name that is nearly the same, else all of them.
pub fn suggestion(given: &str, known: &[&str]) -> String {
    let mut known = known.to_vec();
    known.sort_unstable();
    known.dedup();
    let alike = |name: &&str| strsim::jaro_winkler(&name.to_lowercase(), &given.to_lowercase());
    let near = known.iter().copied().max_by(|a, b| alike(a).total_cmp(&alike(b))).filter(|name| alike(name) > 0.8);
    match near {
        Some(name) => format!(" (did you mean {name:?}?)"),
        None if known.is_empty() => " (the app has none)".to_owned(),
        None => format!(" (there are: {})", known.join(", ")),
    }
}
