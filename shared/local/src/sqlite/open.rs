//! The file, opened for this process alone. One that isn't ours is left as it is.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use rusqlite::{Connection, ErrorCode, config::DbConfig};

use super::{
    rows::remedy,
    schema::{APPLICATION_ID, prepare},
};

/// The loss that a power cut may bring; a process that is killed never brings any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The last moments before it, half a minute at most on a usual system.
    #[default]
    Normal,
    /// Nothing that was acknowledged: each commit is on the disk before it is. Writes that come at once share one.
    Full,
}

/// A file that is open, by its place and what tells it from another there.
pub(super) struct File {
    path: PathBuf,
    id: (u64, u64),
}

impl File {
    /// The file that stands there; `None` where the system doesn't tell one from another.
    pub(super) fn at(path: &Path) -> Option<Arc<Self>> {
        Some(Arc::new(Self { path: path.to_owned(), id: id(path)? }))
    }

    /// Refuses where it doesn't stand there any more.
    pub(super) fn check(&self) -> PortResult<()> {
        if id(&self.path) == Some(self.id) {
            return Ok(());
        }
        let path = self.path.display();
        let message =
            format!("{path} was removed or replaced while it was in use: nothing is kept any more (start again)");
        Err(PortError::new(PortErrorKind::Refused, message))
    }
}

#[cfg(unix)]
fn id(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Elsewhere a file that is open can't be removed.
#[cfg(not(unix))]
fn id(_: &Path) -> Option<(u64, u64)> {
    None
}

/// Opens the file, which belongs to this process alone until it is closed. A new one is its owner's alone to read.
///
/// # Errors
/// `Refused` if another process has it open, a newer build wrote it, it is something else's, or it can't be used.
pub(super) fn open(path: &Path, durability: Durability) -> PortResult<Connection> {
    create(path)?;
    let failed = |error| explained(path, &error);
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(Duration::ZERO).map_err(failed)?;
    // Exclusive: a second engine on the same file would deliver everything twice. The lock ends with the process.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(failed)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    check_ours(path, &connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failed)?;
    // NORMAL: a commit is with the operating system before it returns, so a killed process loses nothing that was
    // acknowledged. FULL survives a power cut too, but a caller who waits for each write gets an eighth as many;
    // NORMAL may lose the last moments then, never the file. The cache and a log that grows longer than by default
    // make up for the many small writes; both bound in memory and on disk, at 16 MiB each.
    let synchronous = match durability {
        Durability::Normal => "NORMAL",
        Durability::Full => "FULL",
    };
    let setup = format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};
        PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000;
        BEGIN IMMEDIATE; COMMIT;"
    );
    connection.execute_batch(&setup).map_err(failed)?;
    prepare(&mut connection, &path.display().to_string())?;
    Ok(connection)
}

/// Makes the file where there is none, and the directories that lead to it.
fn create(path: &Path) -> PortResult<()> {
    let refused = |what: &str, path: &Path, error: &std::io::Error| {
        let message =
            format!("failed to create the {what} {}: {error} (choose another by `--database`)", path.display());
        PortError::new(PortErrorKind::Refused, message)
    };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(|error| refused("directory", directory, &error))?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(refused("database", path, &error)),
        _ => Ok(()),
    }
}

/// Refuses a file that has something in it and isn't marked as ours. Nothing is written yet.
fn check_ours(path: &Path, connection: &Connection) -> PortResult<()> {
    let failed = |error| explained(path, &error);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(failed);
    let tables = "SELECT count(*), group_concat(name, ', ') FROM sqlite_master WHERE type = 'table'";
    let tables = connection.query_row(tables, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?)));
    let (count, tables) = tables.map_err(failed)?;
    if pragma("application_id")? == APPLICATION_ID || (count == 0 && pragma("user_version")? == 0) {
        return Ok(());
    }
    let has = tables.map(|tables| format!(", it has the tables {tables:.200}")).unwrap_or_default();
    let message = format!("{} is no database of Dacapo's{has} (choose another file by `--database`)", path.display());
    Err(PortError::new(PortErrorKind::Refused, message))
}

/// The failure to open a file, and its remedy.
fn explained(path: &Path, error: &rusqlite::Error) -> PortError {
    let message = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("{} is in use by another engine (stop that one, or choose another file)", path.display())
        }
        _ => format!("failed to open the local database {}: {error}{}", path.display(), remedy(error)),
    };
    PortError::new(PortErrorKind::Refused, message)
}
