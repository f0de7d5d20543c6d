//! The log of a record.

use dacapo_core::commit::{Seen, commit};
use dacapo_domain::{Json, LogLine};

use crate::{
    sheep::{Sheep, SheepInput, soon},
    wire::Wire,
};

fn line(sort: &str) -> LogLine {
    LogLine { sort: sort.to_owned(), document: Json::of(&format!("baa {sort}")).unwrap() }
}

#[tokio::test]
async fn lines_are_read_in_order_after_the_one_named() {
    let wire = Wire::default();
    let ports = wire.ports();
    let key = Sheep::new("dolly").store(&ports).await.key();
    ports.records.append(&key, &[line("2"), line("1"), line("10")]).await.unwrap();
    ports.records.append(&key, &[line("2"), line("3")]).await.unwrap();

    let all = ports.records.read_log(&key, None, 10).await.unwrap();
    assert_eq!(all, [line("1"), line("10"), line("2"), line("3")], "the same line added twice is one");
    assert_eq!(ports.records.read_log(&key, Some("1"), 2).await.unwrap(), [line("10"), line("2")]);
    assert_eq!(ports.records.read_log(&key, Some("3"), 2).await.unwrap(), []);
}

#[tokio::test]
async fn lines_are_read_back_from_the_end_or_before_the_one_named() {
    let wire = Wire::default();
    let ports = wire.ports();
    let key = Sheep::new("dolly").store(&ports).await.key();
    ports.records.append(&key, &[line("1"), line("2"), line("3")]).await.unwrap();
    assert_eq!(ports.records.read_log_back(&key, None, 2).await.unwrap(), [line("3"), line("2")]);
    assert_eq!(ports.records.read_log_back(&key, Some("2"), 2).await.unwrap(), [line("1")]);
    assert_eq!(ports.records.read_log_back(&key, Some("1"), 2).await.unwrap(), []);
}

#[tokio::test]
async fn record_is_marked_once_to_have_a_log() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    wire.forget();
    for sort in ["1", "2", "3"] {
        ports.records.append(&dolly.key(), &[line(sort)]).await.unwrap();
    }
    assert_eq!(wire.operations(), ["UpdateItem", "BatchWriteItem", "BatchWriteItem", "BatchWriteItem"]);
    assert!(wire.table.lock().unwrap().record("sheep/dolly").contains_key("overflow"));

    // A new record of the same key is marked anew.
    commit(&ports, Seen::Stored(dolly.clone()), &SheepInput::Eaten, (), soon()).await.unwrap();
    dolly.clone().store(&ports).await;
    ports.records.append(&dolly.key(), &[line("1")]).await.unwrap();
    assert!(wire.table.lock().unwrap().record("sheep/dolly").contains_key("overflow"));
}

#[tokio::test]
async fn lines_expire_with_their_record() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    ports.records.append(&dolly.key(), &[line("1"), line("2")]).await.unwrap();
    let committed = commit(&ports, Seen::Stored(dolly), &SheepInput::Sold, (), soon()).await.unwrap().unwrap();
    let expires_at_s = committed.record.expires_at_s.unwrap().to_string();
    let table = wire.table.lock().unwrap();
    assert_eq!(table.items.len(), 3);
    assert!(table.items.values().all(|item| item["expiresAtS"]["N"] == *expires_at_s), "{:?}", table.items);
}

#[tokio::test]
async fn line_added_after_the_expiry_was_set_expires_with_its_record() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    ports.records.append(&dolly.key(), &[line("1")]).await.unwrap();
    let committed = commit(&ports, Seen::Stored(dolly), &SheepInput::Sold, (), soon()).await.unwrap().unwrap();
    ports.records.append(&committed.record.key(), &[line("2")]).await.unwrap();
    let expires_at_s = committed.record.expires_at_s.unwrap().to_string();
    let table = wire.table.lock().unwrap();
    assert!(table.items.values().all(|item| item["expiresAtS"]["N"] == *expires_at_s), "{:?}", table.items);
}

#[tokio::test]
async fn log_of_no_record_makes_none() {
    let wire = Wire::default();
    let ports = wire.ports();
    let key = Sheep::new("dolly").key();
    ports.records.append(&key, &[line("1")]).await.unwrap();
    assert_eq!(ports.records.load(&key).await.unwrap(), None);
    assert_eq!(wire.table.lock().unwrap().items.len(), 1);
}
