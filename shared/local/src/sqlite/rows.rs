//! Between rows and the domain's values.

use dacapo::port::{PortResult, Stored};
use dacapo_domain::{Json, Run, Version};
use jiff::Timestamp;
use rusqlite::{Connection, Params, Row};
use serde::{Serialize, de::DeserializeOwned};

use super::error::unreadable;

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

/// A stored payload.
pub(super) fn json(what: &str, text: String) -> PortResult<Json> {
    Json::from_text(text).map_err(|error| unreadable(what, error))
}

/// A run's row as it is read on the database's thread; it is parsed on the caller's.
pub(super) struct RunRow {
    pub(super) version: i64,
    document: String,
    pub(super) payloads: PayloadRow,
}

/// The payloads of a run's row.
pub(super) struct PayloadRow {
    body: String,
    input: Option<String>,
    result: Option<String>,
}

impl RunRow {
    /// The columns that [`read`](Self::read) expects, in its order.
    pub(super) const COLUMNS: &str = "version, document, body, input, result";

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let payloads = PayloadRow { body: row.get(2)?, input: row.get(3)?, result: row.get(4)? };
        Ok(Self { version: row.get(0)?, document: row.get(1)?, payloads })
    }

    pub(super) fn run(&self) -> PortResult<Run> {
        value("a run", &self.document)
    }

    pub(super) fn stored(self) -> PortResult<Stored> {
        let run = self.run()?;
        self.payloads.stored(run)
    }
}

impl PayloadRow {
    /// Of a row that holds `body`, `input` and `result` only.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { body: row.get(0)?, input: row.get(1)?, result: row.get(2)? })
    }

    pub(super) fn stored(self, run: Run) -> PortResult<Stored> {
        Ok(Stored {
            run,
            body: Some(json("a body", self.body)?),
            input: self.input.map(|input| json("an input", input)).transpose()?,
            result: self.result.map(|result| json("a result", result)).transpose()?,
        })
    }
}
