//! The meaning of a statement's failure to a port's caller.

use std::fmt;

use dacapo_core::port::{PortError, PortErrorKind};

/// The failure of a piece of work inside the database's turn.
#[derive(Debug)]
pub(super) enum WorkError {
    /// `SQLite` failed: nothing of the group is stored.
    Sql(rusqlite::Error),
    /// The work refused; it must not have written before it did.
    Port(PortError),
}

impl From<rusqlite::Error> for WorkError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PortError> for WorkError {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

/// The error of all callers whose work was in a group that could not be stored.
pub(super) fn not_stored(error: &rusqlite::Error) -> PortError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, ReadOnly};
    let kind = match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase | ReadOnly) => PortErrorKind::Refused,
        _ => PortErrorKind::Transient,
    };
    PortError::new(kind, format!("failed to use the local database: {error}"))
}

/// The error of a row that can't be read by this build.
pub(super) fn unreadable(what: &str, cause: impl fmt::Display) -> PortError {
    PortError::new(PortErrorKind::Refused, format!("{what} in the local database can't be read: {cause}"))
}
