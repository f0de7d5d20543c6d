//! A deleted record, and what goes with it.

use dacapo_core::commit::{Seen, commit};
use dacapo_domain::{Json, LogLine, Machine};

use crate::{
    sheep::{Sheep, SheepInput, effect, soon, wool},
    wire::Wire,
};

#[tokio::test]
async fn deleted_record_takes_what_stands_beside_it_and_then_its_effects_follow() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly");
    ports.records.create(&dolly.write_with(&wool(2_000)), None).await.unwrap();
    let line = LogLine { sort: "1".to_owned(), document: Json::default() };
    ports.records.append(&dolly.key(), &[line]).await.unwrap();
    Sheep::new("dolly2").store(&ports).await;
    wire.forget();

    commit(&ports, Seen::Stored(dolly), &SheepInput::Eaten, (), soon()).await.unwrap().unwrap();
    assert_eq!(wire.operations(), ["DeleteItem", "Query", "BatchWriteItem", "GetQueueUrl", "SendMessage"]);
    let left: Vec<(String, String)> = wire.table.lock().unwrap().items.keys().cloned().collect();
    assert_eq!(left, [("sheep/dolly2".to_owned(), "record".to_owned())]);
}

#[tokio::test]
async fn record_with_nothing_beside_it_is_deleted_by_one_call() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    wire.forget();
    assert!(ports.records.delete(&dolly.header(), &[]).await.unwrap());
    assert_eq!(wire.operations(), ["DeleteItem"]);
}

#[tokio::test]
async fn record_of_another_version_stays_and_nothing_follows() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").at(2).store(&ports).await;
    wire.forget();
    let seen = dolly.clone().at(1).header();
    assert!(!ports.records.delete(&seen, &[effect("dinner")]).await.unwrap());
    assert_eq!(wire.operations(), ["DeleteItem"]);
    assert!(ports.records.load(&dolly.key()).await.unwrap().is_some());
}

#[tokio::test]
async fn record_that_was_never_there_or_has_expired_counts_as_deleted() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly");
    assert!(ports.records.delete(&dolly.header(), &[effect("dinner")]).await.unwrap());
    assert_eq!(wire.inputs("SendMessage").len(), 1, "a reply that was lost before makes no difference");

    let expired = Sheep { expires_at_s: Some(1), ..dolly.at(7) }.store(&ports).await;
    assert!(ports.records.delete(&expired.at(8).header(), &[]).await.unwrap());
    assert!(wire.table.lock().unwrap().items.is_empty());
}
