//! What a command that fails says, and the exit code it leaves.

use dacapo::{Error, ErrorKind};

use crate::exit;

/// A command that failed: one line for people, and what programs make of it.
#[derive(Debug)]
pub struct Failure {
    /// One of [`exit`].
    pub code: u8,
    /// What failed and what to do about it.
    pub message: String,
}

/// What a command gives.
pub type Done<T> = Result<T, Failure>;

impl Failure {
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

impl From<Error> for Failure {
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
