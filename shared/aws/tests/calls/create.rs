//! A new record: one write, what goes before it and what follows.

use dacapo_core::port::PortErrorKind;
use dacapo_domain::{Created, Json, Machine, Payload};

use crate::{
    sheep::{Sheep, effect, wool},
    wire::{Wire, lost, refusal},
};

#[tokio::test]
async fn created_record_is_one_write_and_read_with_all_that_it_has() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly");
    let write = dolly.write_with(&Json::from_text("1.10").unwrap());
    assert_eq!(ports.records.create(&write, None).await.unwrap(), Created::New);
    assert_eq!(wire.operations(), ["PutItem"]);

    let stored = ports.records.load(&dolly.key()).await.unwrap().unwrap();
    assert_eq!(stored.header, dolly.header());
    assert_eq!(stored.document.parse::<Sheep>().unwrap(), dolly);
    assert_eq!(stored.payloads.get("wool"), Payload::Here(&Json::from_text("1.10").unwrap()));
}

#[tokio::test]
async fn effects_follow_a_created_record_and_one_that_fails_is_left() {
    let wire = Wire::default();
    let ports = wire.ports_with(|operation, input| {
        let fails = operation == "SendMessage" && input["MessageBody"] == "\"first\"";
        fails.then(|| refusal("ThrottlingException"))
    });
    let mut write = Sheep::new("dolly").write();
    write.effects = vec![effect("first"), effect("second")];
    assert_eq!(ports.records.create(&write, None).await.unwrap(), Created::New);
    assert_eq!(wire.operations(), ["PutItem", "GetQueueUrl", "SendMessage", "SendMessage"]);

    wire.forget();
    write.header.version.0 += 1;
    assert!(matches!(ports.records.create(&write, None).await.unwrap(), Created::Exists(_)));
    assert_eq!(wire.operations(), ["PutItem"], "nothing follows from what was not stored");
}

#[tokio::test]
async fn payload_that_does_not_fit_is_stored_before_its_record() {
    let wire = Wire::default();
    let ports = wire.ports();
    let (dolly, wool) = (Sheep::new("dolly"), wool(2_000));
    ports.records.create(&dolly.write_with(&wool), None).await.unwrap();

    let puts = wire.inputs("PutItem");
    assert_eq!(wire.operations(), ["PutItem", "PutItem"]);
    assert_eq!(puts[0]["Item"]["doc"]["S"], wool.text());
    assert_eq!(puts[0]["Item"]["sk"]["S"], "payload/wool/0000000000000001");
    assert_eq!(puts[1]["Item"]["a.wool"], puts[0]["Item"]["sk"]);
    let stored = ports.records.load(&dolly.key()).await.unwrap().unwrap();
    assert_eq!(stored.payloads.get("wool"), Payload::Here(&wool));
}

#[tokio::test]
async fn created_record_is_new_although_its_reply_was_lost() {
    let wire = Wire::default();
    let dolly = Sheep::new("dolly");
    let mut write = dolly.write_with(&wool(2_000));
    write.effects = vec![effect("born")];
    wire.ports().records.create(&dolly.write_with(&wool(2_000)), None).await.unwrap();
    wire.forget();
    assert_eq!(wire.ports().records.create(&write, None).await.unwrap(), Created::New);
    assert_eq!(wire.operations(), ["PutItem", "PutItem", "GetQueueUrl", "SendMessage"], "its effects follow again");

    let Created::Exists(found) = wire.ports().records.create(&dolly.clone().at(99).write(), None).await.unwrap() else {
        panic!("another write's record is not its own")
    };
    assert_eq!(found.header, dolly.header());
}

#[tokio::test]
async fn payload_of_a_write_that_lost_is_dropped() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    let created = ports.records.create(&dolly.at(2).write_with(&wool(2_000)), None).await.unwrap();
    assert!(matches!(created, Created::Exists(_)));
    assert_eq!(wire.operations(), ["PutItem", "PutItem", "PutItem", "DeleteItem"]);
    assert_eq!(wire.table.lock().unwrap().items.len(), 1);
}

#[tokio::test]
async fn payload_that_the_found_record_names_is_kept() {
    let wire = Wire::default();
    let ports = wire.ports();
    let (dolly, wool) = (Sheep::new("dolly"), wool(2_000));
    ports.records.create(&dolly.write_with(&wool), None).await.unwrap();
    ports.records.save(&dolly.header(), &dolly.clone().at(2).write()).await.unwrap();

    // The reply to the create was lost, and another writer has been there since.
    let created = ports.records.create(&dolly.write_with(&wool), None).await.unwrap();
    assert!(matches!(created, Created::Exists(_)));
    let stored = ports.records.load(&dolly.key()).await.unwrap().unwrap();
    assert_eq!(stored.payloads.get("wool"), Payload::Here(&wool));
}

#[tokio::test]
async fn record_over_an_expired_one_is_new() {
    let wire = Wire::default();
    let ports = wire.ports();
    let expired = Sheep { expires_at_s: Some(1), ..Sheep::new("dolly") }.store(&ports).await;
    assert_eq!(ports.records.load(&expired.key()).await.unwrap(), None);
    let dolly = Sheep::new("dolly").at(2);
    assert_eq!(ports.records.create(&dolly.write(), None).await.unwrap(), Created::New);
    assert_eq!(ports.records.load(&dolly.key()).await.unwrap().unwrap().header, dolly.header());
}

#[tokio::test]
async fn answer_that_is_lost_is_transient_and_names_the_record() {
    let ports = Wire::default().ports_with(|operation, _| (operation == "PutItem").then(lost));
    let error = ports.records.create(&Sheep::new("dolly").write(), None).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Transient);
    assert_eq!(error.to_string(), "failed to create \"sheep/dolly\": InternalServerError: lost");
}

#[tokio::test]
async fn table_that_is_not_there_names_the_stack() {
    let ports = Wire::default().ports_with(|_, _| Some(refusal("ResourceNotFoundException")));
    let error = ports.records.load(&Sheep::new("dolly").key()).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::NotDeployed);
    assert!(error.to_string().contains("no stack shop-dev in eu-west-1 (run `make deploy APP=shop STAGE=dev`)"));
}
