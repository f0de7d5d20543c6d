//! What a command that fails says, and the exit code it leaves.

use dacapo::{Error, ErrorKind};

/// The exit codes. Scripts may rely on them.
pub mod exit {
    /// It is done.
    pub const DONE: u8 = 0;
    /// The operation failed; with `--wait`, and for `wait`, the run did.
    pub const FAILED: u8 = 1;
    /// What was given can't be used. Nothing was done.
    pub const USAGE: u8 = 2;
    /// There is no such run, task, event or schedule, or the app isn't deployed.
    pub const NOT_FOUND: u8 = 3;
    /// No access: credentials are missing or refused, or the engine or endpoint doesn't answer.
    pub const NO_ACCESS: u8 = 4;
}

/// A command that failed: one line for people, and what programs make of it.
#[derive(Debug)]
pub struct CliError {
    /// One of [`exit`].
    pub code: u8,
    /// What failed and what to do about it.
    pub message: String,
}

/// What a command gives.
pub type CliResult<T> = Result<T, CliError>;

impl CliError {
    /// The operation failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: exit::FAILED, message: message.into() }
    }

    /// What was given can't be used.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: exit::USAGE, message: message.into() }
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { code: exit::NOT_FOUND, message: message.into() }
    }

    /// The word for its exit code, for programs.
    pub const fn kind(&self) -> &'static str {
        match self.code {
            exit::USAGE => "usage",
            exit::NOT_FOUND => "not-found",
            exit::NO_ACCESS => "no-access",
            _ => "failed",
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
        Self { code, message: error.to_string() }
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
