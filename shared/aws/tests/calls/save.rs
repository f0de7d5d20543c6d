//! A changed record: the condition, a lost reply, a lost race, and what expires with it.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use dacapo_core::{
    commit::{Seen, commit},
    port::PortErrorKind,
};
use dacapo_domain::{Json, Machine, Payload, Saved};
use serde_json::{Value, json};

use crate::{
    sheep::{Sheep, SheepInput, effect, soon, wool},
    table::text,
    wire::{Wire, lost},
};

#[tokio::test]
async fn committed_input_is_one_write_and_what_follows() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    wire.forget();
    let committed = commit(&ports, Seen::Stored(dolly), &SheepInput::Shorn, (), soon()).await.unwrap().unwrap();
    assert_eq!((committed.record.shorn, committed.changed), (1, true));
    assert_eq!(committed.payloads.get("wool"), Payload::Here(&Json::of(&"grey").unwrap()), "the reply brings them");
    assert_eq!(wire.operations(), ["UpdateItem", "GetQueueUrl", "SendMessage"]);
    assert_eq!(wire.inputs("SendMessage")[0]["MessageBody"], "\"dolly is shorn\"");
}

#[tokio::test]
async fn lost_reply_is_not_a_lost_race() {
    let wire = Wire::default();
    let dolly = Sheep::new("dolly").store(&wire.ports()).await;
    let (other_end, is_lost) = (wire.clone(), AtomicBool::new(true));
    let ports = wire.ports_with(move |operation, input| {
        // The first update is stored, and its reply is lost.
        let loses = operation == "UpdateItem" && is_lost.swap(false, Relaxed);
        loses.then(|| {
            other_end.table.lock().unwrap().answer(operation, input);
            lost()
        })
    });
    let committed = commit(&ports, Seen::Stored(dolly), &SheepInput::Shorn, (), soon()).await.unwrap().unwrap();
    assert_eq!(committed.record.shorn, 1, "it is shorn once");
    assert_eq!(wire.inputs("UpdateItem").len(), 2);
    assert_eq!(wire.inputs("SendMessage").len(), 1);
}

#[tokio::test]
async fn save_that_is_recognised_after_a_lost_reply_posts_its_effects_again() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    let mut write = dolly.clone().at(2).write();
    write.effects = vec![effect("shorn"), effect("sold")];
    wire.forget();
    for _ in 0..2 {
        // The second comes after a reply that was lost, whatever was posted by then.
        assert!(matches!(ports.records.save(&dolly.header(), &write).await.unwrap(), Saved::Done(_)));
    }
    let told = |entry: usize| move |input: Value| input["Entries"][entry]["MessageBody"].clone();
    let of = |entry| wire.inputs("SendMessageBatch").into_iter().map(told(entry)).collect::<Vec<_>>();
    assert_eq!((of(0), of(1)), (vec![json!("\"shorn\""); 2], vec![json!("\"sold\""); 2]));
}

#[tokio::test]
async fn payload_that_was_not_read_is_refused_before_anything_is_stored() {
    let wire = Wire::default();
    let ports = wire.ports();
    let mut write = Sheep::new("dolly").write_with(&wool(2_000));
    write.payloads.set("bell".into(), None);
    let seen = Sheep::new("dolly").at(7).header();
    let errors =
        [ports.records.create(&write, None).await.unwrap_err(), ports.records.save(&seen, &write).await.unwrap_err()];
    for error in errors {
        assert_eq!(error.kind(), PortErrorKind::Refused);
        let text = "failed to write the payload \"bell\": it is stored apart and was not read (load its record first)";
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(wire.operations(), [""; 0]);
}

#[tokio::test]
async fn lost_race_gives_the_record_that_won() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    let won = Sheep { shorn: 7, ..dolly.clone() }.at(2);
    assert!(matches!(ports.records.save(&dolly.header(), &won.write()).await.unwrap(), Saved::Done(_)));
    wire.forget();

    let late = Sheep { shorn: 1, ..dolly.clone() }.at(3);
    let saved = ports.records.save(&dolly.header(), &late.write_with(&wool(2_000))).await.unwrap();
    let Saved::Lost(Some(found)) = saved else { panic!("{saved:?}") };
    assert_eq!(found.document.parse::<Sheep>().unwrap(), won);
    assert_eq!(wire.operations(), ["PutItem", "UpdateItem", "DeleteItem"], "its payload is dropped");
}

#[tokio::test]
async fn record_that_is_gone_or_expired_is_lost_to_none() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly");
    assert_eq!(ports.records.save(&dolly.header(), &dolly.clone().at(2).write()).await.unwrap(), Saved::Lost(None));
    assert!(wire.table.lock().unwrap().items.is_empty(), "no update makes a record");

    let expired = Sheep { expires_at_s: Some(1), ..dolly }.store(&ports).await;
    assert_eq!(ports.records.save(&expired.header(), &expired.clone().at(2).write()).await.unwrap(), Saved::Lost(None));
}

#[tokio::test]
async fn payloads_that_a_write_does_not_bring_stay_and_others_move_to_where_they_fit() {
    let wire = Wire::default();
    let ports = wire.ports();
    let (dolly, small, large) = (Sheep::new("dolly"), wool(8), wool(2_000));
    ports.records.create(&dolly.write_with(&small), None).await.unwrap();
    let mut seen = dolly.header();
    for (version, wool) in [(2, None), (3, Some(&large)), (4, None), (5, Some(&small))] {
        let next = dolly.clone().at(version);
        let write = wool.map_or_else(|| next.write(), |wool| next.write_with(wool));
        let Saved::Done(payloads) = ports.records.save(&seen, &write).await.unwrap() else { panic!("{version}") };
        let expected = if (3..5).contains(&version) { Payload::Apart } else { Payload::Here(&small) };
        assert_eq!(payloads.get("wool"), expected, "{version}");
        let stored = ports.records.load(&dolly.key()).await.unwrap().unwrap();
        let expected = if (3..5).contains(&version) { &large } else { &small };
        assert_eq!(stored.payloads.get("wool"), Payload::Here(expected), "{version}");
        seen = write.header;
    }
}

#[tokio::test]
async fn what_stands_beside_a_record_expires_with_it_and_lives_on_with_it() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly");
    ports.records.create(&dolly.write_with(&wool(2_000)), None).await.unwrap();

    let committed = commit(&ports, Seen::Stored(dolly.clone()), &SheepInput::Sold, (), soon()).await.unwrap().unwrap();
    let expires_at_s = committed.record.expires_at_s.unwrap().to_string();
    {
        let table = wire.table.lock().unwrap();
        assert!(table.items.values().all(|item| item["expiresAtS"]["N"] == *expires_at_s), "{:?}", table.items);
        assert!(!table.record("sheep/dolly").contains_key("reconcile"));
    }

    let saved = ports.records.save(&committed.record.header(), &dolly.at(9).write()).await.unwrap();
    assert!(matches!(saved, Saved::Done(_)));
    let table = wire.table.lock().unwrap();
    assert!(table.items.values().all(|item| !item.contains_key("expiresAtS")), "{:?}", table.items);
    assert!(text(&table.record("sheep/dolly")["reconcile"]).starts_with("due/"));
}

#[tokio::test]
async fn record_with_nothing_beside_it_expires_by_one_write() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    wire.forget();
    commit(&ports, Seen::Stored(dolly), &SheepInput::Sold, (), soon()).await.unwrap().unwrap();
    assert_eq!(wire.operations(), ["UpdateItem"]);
}

#[tokio::test]
async fn payload_larger_than_an_item_is_stored_in_parts_that_come_and_go_together() {
    let wire = Wire::default();
    let ports = wire.ports();
    let (dolly, large) = (Sheep::new("dolly"), Json::of(&"\u{1F411}".repeat(262_000)).unwrap());
    ports.records.create(&dolly.write_with(&large), None).await.unwrap();
    let weights: Vec<usize> = wire.inputs("PutItem").iter().map(|input| input["Item"].to_string().len()).collect();
    assert_eq!(weights.len(), 1 + 3, "the record, and three parts of 1 MB");
    assert!(weights.iter().all(|bytes| *bytes < 409_600), "{weights:?}");
    let stored = ports.records.load(&dolly.key()).await.unwrap().unwrap();
    assert!(stored.payloads.get("wool") == Payload::Here(&large), "no character is cut");

    // A writer that loses takes all of its parts with it, and none of the winner's.
    let won = dolly.clone().at(2);
    assert!(matches!(ports.records.save(&dolly.header(), &won.write()).await.unwrap(), Saved::Done(_)));
    let before = wire.table.lock().unwrap().items.len();
    let late = dolly.clone().at(3).write_with(&large);
    assert!(matches!(ports.records.save(&dolly.header(), &late).await.unwrap(), Saved::Lost(Some(_))));
    assert_eq!(wire.table.lock().unwrap().items.len(), before);

    // One that lacks a part is refused: it is never read in part.
    let parts = |sk: &str| sk.starts_with("payload/") && sk.ends_with("/002");
    wire.table.lock().unwrap().items.retain(|(_, sk), _| !parts(sk));
    let error = ports.records.load(&dolly.key()).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Refused);
    assert!(error.to_string().ends_with("of \"sheep/dolly\": it is gone"), "{error}");
}
