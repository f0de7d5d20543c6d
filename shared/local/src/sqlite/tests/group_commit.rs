//! Group commit: all or nothing, and every caller is told.

use std::{sync::Arc, time::Duration};

use dacapo_core::port::{PortError, PortErrorKind};
use futures::future::join_all;
use rusqlite::Connection;

use crate::{
    sqlite::{
        Database, Durability,
        group_commit::WRITE_BACK_AFTER,
        rows::{WorkError, execute},
    },
    test_clock::TestClock,
};

/// The work of one caller.
#[derive(Clone, Copy, PartialEq)]
enum Work {
    Write,
    Refuse,
    Fail,
}

fn work(work: Work) -> impl FnOnce(&Connection) -> Result<(), WorkError> + Send + 'static {
    move |connection| match work {
        Work::Refuse => Err(PortError::new(PortErrorKind::Refused, "no").into()),
        Work::Write => Ok(execute(connection, "INSERT INTO log VALUES (hex(randomblob(8)), 'k', 'd')", []).map(drop)?),
        Work::Fail => Ok(execute(connection, "INSERT INTO nowhere VALUES (1)", []).map(drop)?),
    }
}

async fn count(database: &Database) -> i64 {
    let count = "SELECT count(*) FROM log";
    database.call(move |connection| Ok(connection.query_row(count, [], |row| row.get(0))?)).await.unwrap()
}

async fn databases() -> [(Database, Option<tempfile::TempDir>); 2] {
    let clock = Arc::new(TestClock::new());
    let directory = tempfile::tempdir().unwrap();
    let file = Database::open(&directory.path().join("dev.sqlite"), Durability::Normal, clock.clone()).unwrap();
    [(Database::memory(clock).unwrap(), None), (file, Some(directory))]
}

#[tokio::test]
async fn work_that_refuses_does_others_no_harm() {
    for (database, _directory) in databases().await {
        let all = [Work::Write, Work::Refuse, Work::Write];
        let kinds = join_all(all.map(|it| database.call(work(it)))).await;
        let kinds: Vec<_> = kinds.into_iter().map(|done| done.err().map(|error| error.kind())).collect();
        assert_eq!(kinds, [None, Some(PortErrorKind::Refused), None]);
        assert_eq!(count(&database).await, 2);
    }
}

#[tokio::test]
async fn failure_of_the_database_is_told_and_leaves_nothing_behind() {
    for (database, _directory) in databases().await {
        let half = database.call(|connection| {
            work(Work::Write)(connection)?;
            work(Work::Fail)(connection)
        });
        assert_eq!(half.await.unwrap_err().kind(), PortErrorKind::Transient);
        assert_eq!(count(&database).await, 0, "what it wrote before it failed is gone");
    }
}

#[tokio::test]
async fn callers_that_share_a_failed_commit_are_told_that_nothing_is_stored() {
    let [_, (database, _directory)] = databases().await;
    for _ in 0..20 {
        let before = count(&database).await;
        let done =
            join_all([Work::Write, Work::Write, Work::Fail, Work::Write].map(|it| database.call(work(it)))).await;
        let stored = done.iter().filter(|done| done.is_ok()).count();
        assert_eq!(
            count(&database).await - before,
            i64::try_from(stored).unwrap(),
            "work that got Ok is stored, and no other"
        );
    }
}

#[tokio::test]
async fn callers_at_once_are_all_served() {
    for (database, _directory) in databases().await {
        let done = join_all((0..2_000).map(|_| database.call(work(Work::Write)))).await;
        assert!(done.iter().all(Result::is_ok));
        assert_eq!(count(&database).await, 2_000);
    }
}

#[tokio::test]
async fn log_of_many_writes_is_in_the_file_before_it_is_full_where_nothing_waits() {
    let [_, (database, directory)] = databases().await;
    let path = directory.as_ref().unwrap().path().join("dev.sqlite");
    let length = || std::fs::metadata(&path).unwrap().len();
    let empty = length();
    for _ in 1..WRITE_BACK_AFTER {
        database.call(work(Work::Write)).await.unwrap();
    }
    assert_eq!(length(), empty, "the log has room");
    database.call(work(Work::Write)).await.unwrap();
    // It is written once the last caller has its answer.
    let written = async {
        while length() == empty {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), written).await.expect("the log is written back");
}
