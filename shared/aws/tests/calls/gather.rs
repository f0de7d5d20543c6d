//! Sets among payloads: one update, which needs no version.

use dacapo_domain::{Machine, slot};
use serde_json::json;

use crate::{sheep::Sheep, wire::Wire};

#[tokio::test]
async fn member_is_added_in_one_update_that_needs_no_version_and_its_reply_has_all() {
    let wire = Wire::default();
    let ports = wire.ports();
    let dolly = Sheep::new("dolly").store(&ports).await;
    let key = dolly.header().key;
    ports.records.gather(&key, slot::MEMBERS, &["b".to_owned()]).await.unwrap();
    wire.forget();

    let stored = ports.records.gather(&key, slot::MEMBERS, &["a".to_owned()]).await.unwrap().unwrap();

    assert_eq!(wire.operations(), ["UpdateItem"]);
    let update = &wire.inputs("UpdateItem")[0];
    assert_eq!(
        (&update["UpdateExpression"], &update["ReturnValues"]),
        (&json!("ADD #set :members"), &json!("ALL_NEW"))
    );
    assert_eq!(update["ExpressionAttributeNames"]["#set"], "s.members");
    assert_eq!(stored.payloads.members(slot::MEMBERS), ["a", "b"].map(str::to_owned).into());
    assert_eq!(stored.header.version, dolly.header().version);
}

#[tokio::test]
async fn member_of_a_record_that_is_gone_is_not_added() {
    let wire = Wire::default();
    let gone = Sheep::new("dolly").header().key;
    assert_eq!(wire.ports().records.gather(&gone, slot::MEMBERS, &["a".to_owned()]).await.unwrap(), None);
    assert!(wire.table.lock().unwrap().items.is_empty());
}
