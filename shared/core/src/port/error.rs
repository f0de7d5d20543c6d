use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use crate::brief::brief;

/// The reply of every port.
pub type PortResult<T> = Result<T, PortError>;

/// A call of a port failed.
#[derive(Debug, Serialize, Deserialize)]
pub struct PortError {
    kind: PortErrorKind,
    message: String,
    #[serde(skip)]
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The meaning of a failed call to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortErrorKind {
    /// It may work when tried again: throttled, timed out, no answer.
    Transient,
    /// The endpoint can't be reached at all.
    Unreachable,
    /// Credentials are missing, wrong, or not allowed to.
    Denied,
    /// The app isn't there: no such table, queue or machine.
    NotDeployed,
    /// The request can't be met.
    Refused,
}

impl PortError {
    /// An error with its text: a lowercase fragment that says what failed and what to do.
    pub fn new(kind: PortErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: brief(message.into()), source: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The meaning of it.
    #[must_use]
    pub const fn kind(&self) -> PortErrorKind {
        self.kind
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
