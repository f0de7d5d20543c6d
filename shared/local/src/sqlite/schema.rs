//! The tables, and how a connection is set up.

use std::path::Path;

use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use rusqlite::{Connection, ErrorCode, config::DbConfig};

use super::rows::not_stored;

/// The version of the tables, kept in the file's `user_version`.
const VERSION: i64 = 1;

/// Statements kept prepared: more than there are in this module.
const STATEMENTS: usize = 128;

/// Opens the file, which belongs to this process alone until it is closed.
///
/// # Errors
/// `Refused` if another process has it open, a newer build wrote it, or it is no database.
pub(super) fn open(path: &Path) -> PortResult<Connection> {
    let connection = Connection::open(path).map_err(|error| at(path, &error))?;
    // Exclusive: a second engine on the same file would deliver everything twice. The lock ends with the process.
    // NORMAL: a commit is with the operating system before it returns, so a killed process loses nothing that was
    // acknowledged. FULL would survive a power cut too, but a caller who waits for each write would get an eighth
    // as many; NORMAL may lose the last moments then, never the file. The cache and a log that grows longer than
    // by default make up for the many small writes; both bound in memory and on disk, at 16 MiB each.
    let setup = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000; PRAGMA busy_timeout = 0;
        BEGIN IMMEDIATE; COMMIT;";
    connection.execute_batch(setup).map_err(|error| at(path, &error))?;
    prepare(&connection, &format!("{}", path.display()))?;
    Ok(connection)
}

/// Opens a database that ends with this process.
///
/// # Errors
/// If there is no memory.
pub(super) fn memory() -> PortResult<Connection> {
    let connection = Connection::open_in_memory().map_err(|error| not_stored(&error))?;
    prepare(&connection, ":memory:")?;
    Ok(connection)
}

fn prepare(connection: &Connection, name: &str) -> PortResult<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The stable planner: else each statement with a bound LIMIT is compiled again whenever it is run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|error| not_stored(&error))?;
    let version: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|error| not_stored(&error))?;
    if version > VERSION {
        let message = format!(
            "{name} has schema version {version}, written by a newer Dacapo (this one knows up to {VERSION}; update it, or delete the file)"
        );
        return Err(PortError::new(PortErrorKind::Refused, message));
    }
    if version == 0 {
        let create = format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;");
        connection.execute_batch(&create).map_err(|error| not_stored(&error))?;
    }
    Ok(())
}

fn at(path: &Path, error: &rusqlite::Error) -> PortError {
    let path = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let message = format!("{path} is in use by another engine (stop that one, or use another directory)");
            PortError::new(PortErrorKind::Refused, message)
        }
        _ => PortError::new(PortErrorKind::Refused, format!("failed to open the local database {path}: {error}")),
    }
}

/// Times are Unix milliseconds, except `reconcile_at`: nanoseconds, and `expires_at_s`: seconds, as `DynamoDB`'s. The
/// columns beside a record's document repeat its header; `indexed` repeats its entries, so that a write that leaves them
/// as they are touches no other table. A record's place in the conductor's index is `reconcile_at`.
const TABLES: &str = "
CREATE TABLE records (
    key TEXT PRIMARY KEY, version INTEGER NOT NULL, reconcile_at INTEGER, expires_at_s INTEGER, indexed TEXT,
    document TEXT NOT NULL, payloads TEXT, has_large INTEGER NOT NULL
) STRICT;
CREATE INDEX records_reconciled ON records (reconcile_at) WHERE reconcile_at IS NOT NULL;
CREATE INDEX records_expiring ON records (expires_at_s) WHERE expires_at_s IS NOT NULL;

CREATE TABLE payloads (
    key TEXT NOT NULL, slot TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (key, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    \"index\" TEXT NOT NULL, partition TEXT NOT NULL, sort TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (\"index\", partition, sort, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
    key TEXT NOT NULL, sort TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (key, sort)
) STRICT, WITHOUT ROWID;

CREATE TABLE queues (
    name TEXT PRIMARY KEY, visibility INTEGER NOT NULL, max_receives INTEGER, dead_letters INTEGER NOT NULL,
    is_served INTEGER NOT NULL -- 0: known, and left alone until its function is back
) STRICT;
CREATE TABLE messages (
    -- An id is never given again, so that an old receipt can't acknowledge a new message.
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, visible_at INTEGER NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0, sent_at INTEGER NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE INDEX messages_visible ON messages (queue, visible_at);

CREATE TABLE timers (
    name TEXT PRIMARY KEY, at INTEGER NOT NULL, function TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE INDEX timers_due ON timers (at);

CREATE TABLE executions (
    name TEXT PRIMARY KEY, function TEXT NOT NULL, call TEXT NOT NULL,
    status TEXT NOT NULL, -- waiting, calling or ended
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX executions_due ON executions (function, until) WHERE status = 'waiting';
CREATE INDEX executions_ended ON executions (until) WHERE status = 'ended';

CREATE TABLE schedules (
    name TEXT PRIMARY KEY, function TEXT NOT NULL, schedule TEXT NOT NULL, declared INTEGER NOT NULL,
    put_at INTEGER NOT NULL,
    next_fire INTEGER, -- 0: not known yet; NULL: never again
    is_aside INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX schedules_due ON schedules (next_fire) WHERE next_fire IS NOT NULL;
";
