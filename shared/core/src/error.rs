use std::{error::Error as StdError, fmt};

use crate::{
    brief::brief,
    port::{PortError, PortErrorKind},
};

/// An operation of a client or of a handler's context failed.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The meaning of a failed operation to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The argument can't be used: trying again doesn't help.
    Usage,
    /// There is no such run, task, schedule or delivery.
    NotFound,
    /// It can't be done in the state that things are in.
    Refused,
    /// Credentials are missing, wrong, or not allowed to.
    NoAccess,
    /// The app isn't there.
    NotDeployed,
    /// The endpoint can't be reached.
    Unreachable,
    /// It may work when tried again.
    Transient,
}

impl Error {
    /// An error with its text: a lowercase fragment that completes "failed to …", says what was given and what is
    /// allowed, and ends in what to do, in brackets.
    ///
    /// ```
    /// use dacapo_core::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::NotFound, "find a task named \"greeet\" (did you mean \"greet\"?)");
    /// assert_eq!(error.to_string(), "failed to find a task named \"greeet\" (did you mean \"greet\"?)");
    /// ```
    pub fn new(kind: ErrorKind, text: impl fmt::Display) -> Self {
        Self { kind, message: brief(format!("failed to {text}")), source: None }
    }

    /// An error of kind `Usage`.
    pub fn usage(cause: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Usage, cause)
    }

    /// The meaning of it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Is true where trying again can't help.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        matches!(self.kind, ErrorKind::Usage | ErrorKind::NotFound | ErrorKind::Refused)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

impl From<PortError> for Error {
    fn from(error: PortError) -> Self {
        let kind = match error.kind() {
            PortErrorKind::Transient => ErrorKind::Transient,
            PortErrorKind::Unreachable => ErrorKind::Unreachable,
            PortErrorKind::Denied => ErrorKind::NoAccess,
            PortErrorKind::NotDeployed => ErrorKind::NotDeployed,
            PortErrorKind::Refused => ErrorKind::Refused,
        };
        Self { kind, message: error.to_string(), source: Some(Box::new(error)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_given_at_length_is_not_said_again_but_the_remedy_is() {
        let given = "é".repeat(1_000_000);
        let error = Error::usage(format_args!("find a task named {given:?} (there are: greet)"));
        let said = error.to_string();
        assert!(said.len() < 600 && said.starts_with("failed to find a task named \"ééé"), "{said}");
        assert!(said.contains("… (2000049 bytes) …") && said.ends_with("(there are: greet)"), "{said}");
        let port = PortError::new(PortErrorKind::Refused, format!("no queue is named {given} (deploy)"));
        assert!(port.to_string().len() < 600 && port.to_string().ends_with("(deploy)"));
    }
}
