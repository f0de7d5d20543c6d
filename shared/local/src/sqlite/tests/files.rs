//! The file: one engine at a time, none that is too new.

use std::{path::Path, sync::Arc};

use dacapo_core::port::{PortError, PortErrorKind};

use crate::{
    sqlite::{Database, Durability},
    test_clock::TestClock,
};

fn open(path: &Path) -> Result<Database, PortError> {
    Database::open(path, Durability::Normal, Arc::new(TestClock::new()))
}

#[tokio::test]
async fn commit_is_on_the_disk_before_it_is_acknowledged_where_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    for (durability, synchronous) in [(Durability::Normal, 1), (Durability::Full, 2)] {
        let database =
            Database::open(&directory.path().join("dev.sqlite"), durability, Arc::new(TestClock::new())).unwrap();
        let asked = database.call(|connection| {
            let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            Ok((
                pragma("synchronous")?,
                connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))?,
            ))
        });
        assert_eq!(asked.await.unwrap(), (synchronous, "wal".to_owned()), "2 syncs the log at each commit, 1 doesn't");
    }
}

fn refusal(path: &Path) -> String {
    let error = open(path).err().expect("the file is refused");
    assert_eq!(error.kind(), PortErrorKind::Refused);
    error.to_string()
}

#[test]
fn second_engine_on_the_same_file_is_refused_until_the_first_ends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".dacapo/dev.sqlite");
    let first = open(&path).unwrap();

    let started = std::time::Instant::now();
    let refusal = refusal(&path);
    assert!(started.elapsed().as_secs() < 4, "it isn't waited for");
    assert!(
        refusal.ends_with("dev.sqlite is in use by another engine (stop that one, or choose another file)"),
        "{refusal}"
    );

    drop(first);
    open(&path).unwrap();
}

#[test]
fn file_of_a_newer_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dev.sqlite");
    drop(open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let refusal = refusal(&path);
    assert!(refusal.ends_with("was written by a newer Dacapo (use that one, or another file)"), "{refusal}");
}

#[test]
fn file_that_is_no_database_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dev.sqlite");
    std::fs::write(&path, "not a database, however long it may be ".repeat(100)).unwrap();
    let refusal = refusal(&path);
    assert!(refusal.ends_with("dev.sqlite: file is not a database (choose another file by `--database`)"), "{refusal}");
}

#[test]
fn database_of_another_program_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    for (name, make) in [
        ("empty of rows", "CREATE TABLE users (a)"),
        ("of our first version", "CREATE TABLE runs (a); PRAGMA user_version = 1"),
        ("with a version alone", "PRAGMA user_version = 3"),
        ("of another application", "PRAGMA application_id = 7; CREATE TABLE users (a)"),
        ("with a write-ahead log", "PRAGMA journal_mode = WAL; CREATE TABLE users (a)"),
    ] {
        let path = directory.path().join(name);
        rusqlite::Connection::open(&path).unwrap().execute_batch(make).unwrap();
        let before = std::fs::read(&path).unwrap();
        let refusal = refusal(&path);
        assert!(refusal.contains("is no database of Dacapo's"), "{refusal}");
        assert!(!make.contains("users") || refusal.contains(", it has the tables users ("), "{refusal}");
        assert!(std::fs::read(&path).unwrap() == before, "{name} was written to");
    }
}

#[test]
fn folder_that_can_not_be_made_is_told_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refusal = refusal(&file.join("deeper/dev.sqlite"));
    assert!(refusal.starts_with("failed to create the directory") && refusal.contains("Not a directory"), "{refusal}");
}

#[test]
fn failure_to_use_a_file_is_told_with_its_remedy() {
    use rusqlite::ffi;
    for (code, remedy) in [
        (ffi::SQLITE_READONLY, "this user must be allowed to write the file and its folder"),
        (ffi::SQLITE_CANTOPEN, "this user must be allowed to write the file and its folder"),
        (ffi::SQLITE_CORRUPT, "move it away with its -wal and -shm files"),
        (ffi::SQLITE_FULL, "free some space"),
        (ffi::SQLITE_IOERR, "is the disk full, read-only or gone?"),
    ] {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        let told = super::super::rows::not_stored(Some("/home/ada/dev.sqlite"), &error).to_string();
        assert!(
            told.starts_with("failed to use the local database /home/ada/dev.sqlite: ") && told.contains(remedy),
            "{told}"
        );
    }
}

#[cfg(unix)]
#[test]
fn new_file_is_its_owners_alone_and_one_that_is_removed_is_missed() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".dacapo/dev.sqlite");
    let database = open(&path).unwrap();
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    database.check_file().unwrap();

    std::fs::remove_file(&path).unwrap();
    let gone = database.check_file().unwrap_err().to_string();
    assert!(
        gone.ends_with("was removed or replaced while it was in use: nothing is kept any more (start again)"),
        "{gone}"
    );
    std::fs::write(&path, "").unwrap();
    assert!(database.check_file().is_err(), "another file stands there");
}
