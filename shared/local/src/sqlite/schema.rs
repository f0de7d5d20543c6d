//! The tables, and how a connection is set up.

use std::path::Path;

use dacapo::port::{PortError, PortErrorKind, PortResult};
use rusqlite::{Connection, ErrorCode, config::DbConfig};

use super::error::not_stored;

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

/// Times are Unix milliseconds, except `ttl`: Unix seconds, as DynamoDB's. Documents are the domain's JSON; the
/// columns beside them repeat what indexes and conditions need.
const TABLES: &str = "
CREATE TABLE runs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL, due_at INTEGER NOT NULL,
    watch_at INTEGER, ttl INTEGER, document TEXT NOT NULL, body TEXT NOT NULL, input TEXT, result TEXT
) STRICT;
CREATE INDEX runs_by_name ON runs (name, id);
CREATE INDEX runs_by_state ON runs (state, id);
CREATE INDEX runs_by_name_and_state ON runs (name, state, id);
CREATE INDEX runs_scheduled ON runs (due_at) WHERE state = 'scheduled';
CREATE INDEX runs_watched ON runs (watch_at) WHERE watch_at IS NOT NULL;
CREATE INDEX runs_ending ON runs (ttl) WHERE ttl IS NOT NULL;

CREATE TABLE keys (
    task TEXT NOT NULL, key TEXT NOT NULL, run TEXT NOT NULL, until INTEGER,
    PRIMARY KEY (task, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_by_run ON keys (run);

CREATE TABLE logs (
    run TEXT NOT NULL, key TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (run, key)
) STRICT;

CREATE TABLE deliveries (
    key TEXT PRIMARY KEY, version INTEGER NOT NULL, watch_at INTEGER, ttl INTEGER, document TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX deliveries_watched ON deliveries (watch_at) WHERE watch_at IS NOT NULL;
CREATE INDEX deliveries_ending ON deliveries (ttl) WHERE ttl IS NOT NULL;

CREATE TABLE schedule_items (name TEXT PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL) STRICT;

CREATE TABLE manifest (
    one INTEGER PRIMARY KEY CHECK (one = 1), made_ms INTEGER NOT NULL, document TEXT NOT NULL
) STRICT;

CREATE TABLE queues (
    name TEXT PRIMARY KEY, visibility INTEGER NOT NULL, max_receives INTEGER, dead_letters INTEGER NOT NULL
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
CREATE INDEX executions_due ON executions (until) WHERE status = 'waiting';
CREATE INDEX executions_ended ON executions (until) WHERE status = 'ended';

CREATE TABLE schedules (
    name TEXT PRIMARY KEY, function TEXT NOT NULL, schedule TEXT NOT NULL, declared INTEGER NOT NULL,
    put_at INTEGER NOT NULL,
    next_fire INTEGER -- 0: not known yet; NULL: never again
) STRICT;
CREATE INDEX schedules_due ON schedules (next_fire) WHERE next_fire IS NOT NULL;
";
