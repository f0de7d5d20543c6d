//! A new record and its claim: both or neither.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use dacapo_core::port::PortErrorKind;
use dacapo_domain::{Claim, Created, Machine, Version};
use serde_json::{Value, json};

use crate::{
    sheep::{Sheep, effect, wool},
    wire::Wire,
};

/// A claim on a bell, which one sheep wears at a time.
fn bell(version: u64, seen: Option<u64>) -> Claim {
    Claim { write: Sheep::new("bell").at(version).write(), seen: seen.map(Version) }
}

#[tokio::test]
async fn record_and_claim_are_stored_in_one_transaction() {
    let wire = Wire::default();
    let ports = wire.ports();
    let created = ports.records.create(&Sheep::new("dolly").write(), Some(&bell(1, None))).await.unwrap();
    assert_eq!(created, Created::New);
    assert_eq!(wire.operations(), ["TransactWriteItems"]);
    assert_eq!(wire.table.lock().unwrap().items.len(), 2);
}

#[tokio::test]
async fn claim_that_is_held_is_given_and_the_record_is_not_stored() {
    let wire = Wire::default();
    let ports = wire.ports();
    ports.records.create(&Sheep::new("dolly").write(), Some(&bell(1, None))).await.unwrap();

    for seen in [None, Some(7)] {
        let write = Sheep::new("shaun").write_with(&wool(2_000));
        let created = ports.records.create(&write, Some(&bell(2, seen))).await.unwrap();
        let Created::Claimed(found) = created else { panic!("{created:?}") };
        assert_eq!(found.header.version, Version(1));
        assert_eq!(wire.table.lock().unwrap().items.len(), 2, "neither record nor payload stay");
    }
}

#[tokio::test]
async fn claim_in_the_version_that_was_seen_is_taken_over() {
    let wire = Wire::default();
    let ports = wire.ports();
    ports.records.create(&Sheep::new("dolly").write(), Some(&bell(1, None))).await.unwrap();
    let created = ports.records.create(&Sheep::new("shaun").write(), Some(&bell(2, Some(1)))).await.unwrap();
    assert_eq!(created, Created::New);
    let held = ports.records.load(&Sheep::new("bell").key()).await.unwrap().unwrap();
    assert_eq!(held.header.version, Version(2));
}

#[tokio::test]
async fn claim_that_has_expired_is_free() {
    let wire = Wire::default();
    let ports = wire.ports();
    let expired = Claim { write: Sheep { expires_at_s: Some(1), ..Sheep::new("bell") }.write(), seen: None };
    ports.records.create(&Sheep::new("dolly").write(), Some(&expired)).await.unwrap();
    for (name, seen) in [("shaun", None), ("timmy", Some(2))] {
        let created = ports.records.create(&Sheep::new(name).write(), Some(&bell(2, seen))).await.unwrap();
        assert_eq!(created, Created::New, "{name}");
    }
}

#[tokio::test]
async fn record_that_was_there_is_given_before_its_claim() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    let created = ports.records.create(&dolly.clone().at(2).write(), Some(&bell(2, None))).await.unwrap();
    let Created::Exists(found) = created else { panic!("{created:?}") };
    assert_eq!(found.header, dolly.header());
}

#[tokio::test]
async fn claimed_record_is_new_although_its_reply_was_lost() {
    let wire = Wire::default();
    let ports = wire.ports();
    let (dolly, bell) = (Sheep::new("dolly"), bell(1, None));
    for _ in 0..2 {
        assert_eq!(ports.records.create(&dolly.write(), Some(&bell)).await.unwrap(), Created::New);
    }
    // So it is where another writer has changed the record since.
    ports.records.save(&dolly.header(), &dolly.clone().at(2).write()).await.unwrap();
    assert_eq!(ports.records.create(&dolly.write(), Some(&bell)).await.unwrap(), Created::New);
}

#[tokio::test]
async fn create_that_is_recognised_after_a_lost_reply_posts_the_effects_of_record_and_claim_again() {
    let wire = Wire::default();
    let ports = wire.ports();
    let (mut write, mut bell) = (Sheep::new("dolly").write(), bell(1, None));
    write.effects = vec![effect("born")];
    bell.write.effects = vec![effect("belled")];
    for _ in 0..2 {
        assert_eq!(ports.records.create(&write, Some(&bell)).await.unwrap(), Created::New);
    }
    let told: Vec<Value> = wire.inputs("SendMessage").into_iter().map(|input| input["MessageBody"].clone()).collect();
    assert_eq!(told, ["\"born\"", "\"belled\"", "\"born\"", "\"belled\""]);
}

#[tokio::test]
async fn transactions_that_meet_are_tried_again() {
    let wire = Wire::default();
    let tries = AtomicU32::new(0);
    let ports = wire.ports_with(move |_, _| {
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        let reasons = json!([{ "Code": "None" }, { "Code": "TransactionConflict" }]);
        let conflict = json!({ "__type": kind, "message": "conflict", "CancellationReasons": reasons });
        (tries.fetch_add(1, Relaxed) < 2).then_some((400, conflict))
    });
    let created = ports.records.create(&Sheep::new("dolly").write(), Some(&bell(1, None))).await.unwrap();
    assert_eq!(created, Created::New);
    assert_eq!(wire.operations(), ["TransactWriteItems"; 3]);
}

#[tokio::test(start_paused = true)]
async fn transactions_that_meet_again_and_again_are_transient() {
    let wire = Wire::default();
    let ports = wire.ports_with(|_, _| {
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        let reasons = json!([{ "Code": "TransactionConflict" }, { "Code": "None" }]);
        Some((400, json!({ "__type": kind, "message": "conflict", "CancellationReasons": reasons })))
    });
    let error = ports.records.create(&Sheep::new("dolly").write(), Some(&bell(1, None))).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Transient);
    assert_eq!(wire.operations().len(), 8);
}
