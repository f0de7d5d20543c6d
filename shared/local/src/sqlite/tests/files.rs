//! The file: one engine at a time, none that is too new.

use std::{path::Path, sync::Arc};

use dacapo_core::port::{PortError, PortErrorKind};

use crate::{sqlite::Database, test_clock::TestClock};

fn open(path: &Path) -> Result<Database, PortError> {
    Database::open(path, Arc::new(TestClock::new()))
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

    let refusal = refusal(&path);
    assert!(
        refusal.ends_with("dev.sqlite is in use by another engine (stop that one, or use another directory)"),
        "{refusal}"
    );

    drop(first);
    open(&path).unwrap();
}

#[test]
fn file_of_a_newer_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dev.sqlite");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let refusal = refusal(&path);
    assert!(refusal.contains("has schema version 7, written by a newer Dacapo (this one knows up to 1;"), "{refusal}");
}

#[test]
fn file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dev.sqlite");
    std::fs::write(&path, "not a database, however long it may be ".repeat(100)).unwrap();
    let refusal = refusal(&path);
    assert!(refusal.starts_with("failed to open the local database"), "{refusal}");
}
