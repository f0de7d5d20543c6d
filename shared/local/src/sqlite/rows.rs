//! Between rows and the domain's values: statements, times, documents, errors.

use std::fmt;

use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::{Json, Version};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, Params, Row};
use serde::{Serialize, de::DeserializeOwned};

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

/// Rows of which each is read by itself.
pub(super) struct Rows<T> {
    /// Those that can be read.
    pub(super) read: Vec<T>,
    /// The others, and what became of them, in words.
    pub(super) unreadable: Vec<String>,
}

/// Runs a statement that stays prepared; gives the number of rows it changed.
pub(super) fn execute(connection: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params)
}

/// All rows of a query whose statement stays prepared.
pub(super) fn query<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// The first row of a query whose statement stays prepared, if it has one.
pub(super) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// 64 bits as `SQLite` keeps them: signed.
pub(super) const fn bits(version: Version) -> i64 {
    version.0.cast_signed()
}

/// A time as it is stored.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A stored time.
pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// A time to the nanosecond, as records keep it; one after the year 2262 is that year's.
pub(super) fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

/// A time that was stored to the nanosecond.
pub(super) fn exactly(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::MAX)
}

/// Whole seconds, rounded up, in milliseconds: the precision of delays, timers and waits on AWS.
pub(super) fn ceil_second(at: Timestamp) -> i64 {
    let millis = at.as_millisecond();
    millis + (1_000 - millis.rem_euclid(1_000)) % 1_000
}

/// A value as its document.
pub(super) fn document(what: &str, value: &impl Serialize) -> PortResult<String> {
    serde_json::to_string(value).map_err(|error| unreadable(what, error))
}

/// A document's value.
pub(super) fn value<T: DeserializeOwned>(what: &str, document: &str) -> PortResult<T> {
    serde_json::from_str(document).map_err(|error| unreadable(what, error))
}

/// Stored JSON.
pub(super) fn json(what: &str, text: String) -> PortResult<Json> {
    Json::from_text(text).map_err(|error| unreadable(what, error))
}

/// The error of all callers whose work was in a group that could not be stored in a file.
pub(super) fn not_stored(file: Option<&str>, error: &rusqlite::Error) -> PortError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, ReadOnly};
    let kind = match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase | ReadOnly) => PortErrorKind::Refused,
        None if is_of_another_type(error) => PortErrorKind::Refused,
        _ => PortErrorKind::Transient,
    };
    let file = file.filter(|file| !file.is_empty()).map(|file| format!(" {file}")).unwrap_or_default();
    PortError::new(kind, format!("failed to use the local database{file}: {error}{}", remedy(error)))
}

/// Is true where a column holds something of another type than this build writes there.
pub(super) const fn is_of_another_type(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..))
}

/// The remedy of a file that can't be used, in brackets; none where none is known.
pub(super) fn remedy(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => " (choose another file by `--database`)",
        Some(ErrorCode::DatabaseCorrupt) => {
            " (it is damaged: move it away with its -wal and -shm files, or choose another by `--database`)"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            " (this user must be allowed to write the file and its folder; or choose another by `--database`)"
        }
        Some(ErrorCode::DiskFull) => " (free some space; it goes on by itself)",
        Some(ErrorCode::SystemIoFailure) => " (is the disk full, read-only or gone?)",
        _ => "",
    }
}

/// The error of a row that can't be read by this build.
pub(super) fn unreadable(what: &str, cause: impl fmt::Display) -> PortError {
    PortError::new(PortErrorKind::Refused, format!("{what} in the local database can't be read: {cause}"))
}
