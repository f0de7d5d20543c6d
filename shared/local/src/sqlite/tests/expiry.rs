//! Expired rows give their space back.

use std::time::Duration;

use dacapo_core::port::Records;
use dacapo_domain::{Created, Json, LogLine, days, seconds};

use super::Bench;
use crate::sqlite::Ending;

#[tokio::test]
async fn expired_record_is_deleted_with_all_that_stands_beside_it() {
    let bench = Bench::new().await;
    let database = &bench.database;
    let (record, write) = bench.stored_run().await;
    let key = &write.header.key;
    let line = LogLine { sort: "a".to_owned(), document: Json::default() };
    database.append(key, &[line]).await.unwrap();
    database.save(&write.header, &bench.expiring(&record, 10)).await.unwrap();

    bench.pass(seconds(9));
    assert_eq!(database.delete_expired(100).await.unwrap(), 0);
    bench.pass(seconds(1));
    assert!(database.read_log(key, None, 10).await.unwrap().is_empty(), "hidden before it is deleted");
    assert_eq!(database.delete_expired(100).await.unwrap(), 1);
    for table in ["records", "payloads", "entries", "log"] {
        assert_eq!(bench.count(table).await, 0, "{table}");
    }

    assert_eq!(database.create(&write, None).await.unwrap(), Created::New);
    assert!(database.read_log(key, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn messages_and_names_of_executions_go_when_they_can_not_be_asked_for_any_more() {
    let bench = Bench::new().await;
    let (database, now) = (&bench.database, dacapo_core::port::Clock::now(&*bench.clock));
    bench.send("forgotten", Duration::ZERO).await;
    let call = bench.call(0);
    bench.start("ended", &call, now).await;
    database.end_execution("ended", Ending::Succeeded).await.unwrap();
    bench.start("waits", &call, now + days(300)).await;

    bench.pass(days(14) - seconds(1));
    assert_eq!(database.delete_expired(100).await.unwrap(), 0);
    bench.pass(seconds(1));
    assert_eq!(database.delete_expired(100).await.unwrap(), 1, "the message");
    bench.pass(days(76));
    assert_eq!(database.delete_expired(100).await.unwrap(), 1, "the name of the one that ended");
    bench.pass(days(210));
    assert_eq!(bench.due_executions().await.len(), 1);
}
