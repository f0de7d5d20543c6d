//! The tables, and what each version of them has beyond the one before.

use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use rusqlite::{Connection, config::DbConfig};
use rusqlite_migration::{Error, M, MigrationDefinitionError, Migrations};

use super::rows::not_stored;

/// The mark of our files in `SQLite`'s header: "Daca".
pub(super) const APPLICATION_ID: i32 = 0x4461_6361;

/// The versions of the tables: the file's `user_version` counts those that it has. One that was released is never changed.
const VERSIONS: &[M<'_>] = &[M::up(TABLES), M::up(TOLD), M::up(OWNED), M::up(RECONCILED)];
const MIGRATIONS: Migrations<'_> = Migrations::from_slice(VERSIONS);

/// Statements kept prepared: more than there are in this module.
const STATEMENTS: usize = 128;

/// Opens a database that ends with this process.
///
/// # Errors
/// If there is no memory.
pub(super) fn memory() -> PortResult<Connection> {
    let mut connection = Connection::open_in_memory().map_err(|error| not_stored(None, &error))?;
    prepare(&mut connection, ":memory:")?;
    Ok(connection)
}

/// Makes the tables what this version has, and the connection ready to use them.
///
/// # Errors
/// `Refused` if a newer version wrote them.
pub(super) fn prepare(connection: &mut Connection, name: &str) -> PortResult<()> {
    MIGRATIONS.to_latest(connection).map_err(|error| match error {
        Error::RusqliteError { err, .. } => not_stored(Some(name), &err),
        Error::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
            let message = format!("{name} was written by a newer Dacapo (use that one, or another file)");
            PortError::new(PortErrorKind::Refused, message)
        }
        error => PortError::new(PortErrorKind::Refused, format!("{name} can't be brought to this version: {error}")),
    })?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The stable planner: else each statement with a bound LIMIT is compiled again whenever it is run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|error| not_stored(None, &error))?;
    Ok(())
}

/// Times are Unix milliseconds, except `reconcile_at`: nanoseconds, and `expires_at_s`: seconds, as `DynamoDB`'s. The
/// columns beside a record's document repeat its header; `indexed` repeats its entries, so that a write that leaves them
/// as they are touches no other table. A record's place in the conductor's index is `reconcile_at`, in a partition.
const TABLES: &str = "
PRAGMA application_id = 0x44616361;

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

/// The message that told the conductor of an execution's end; none where its run ended it.
const TOLD: &str = "ALTER TABLE executions ADD COLUMN told TEXT;";

/// The partition of the conductor's index that a record is in.
const RECONCILED: &str = "ALTER TABLE records ADD COLUMN reconciled_among TEXT NOT NULL DEFAULT 'due/others';
DROP INDEX records_reconciled;
UPDATE records SET reconciled_among = 'due/runs'
    WHERE reconcile_at IS NOT NULL AND expires_at_s IS NULL AND key GLOB 'run/*'
    AND key NOT IN (SELECT key FROM entries WHERE \"index\" = 'due');
CREATE INDEX records_reconciled ON records (reconciled_among, reconcile_at) WHERE reconcile_at IS NOT NULL;";

/// The key of the record that a record stands beside.
const OWNED: &str = "ALTER TABLE records ADD COLUMN owner TEXT;
CREATE INDEX records_owned ON records (owner, key) WHERE owner IS NOT NULL;";
