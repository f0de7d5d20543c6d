//! A new run.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use dacapo::port::{Created, PortResult};
use dacapo_domain::{Json, Run};
use jiff::Timestamp;

use super::{
    DynamoStore, Item,
    item::{is_gone, number, of_run, read, run_pk, text},
    payload::{APART, Payload},
};
use crate::error::What;

/// The condition of a new item: there is none, or it has expired and the service has not deleted it yet.
pub(super) const ABSENT: &str = "attribute_not_exists(pk) OR #ttl <= :now";

impl DynamoStore {
    pub(super) async fn create_run(&self, run: &Run, body: &Json, key_until: Option<Timestamp>) -> PortResult<Created> {
        let pk = run_pk(run.id);
        let mut item = of_run(run)?;
        let beside = if Payload::Body.fits(&item, body) {
            item.insert(Payload::Body.inside().to_owned(), text(body.text()));
            None
        } else {
            let sk = self.put_beside(&pk, Payload::Body, body, run.version).await?;
            item.insert(Payload::Body.beside().to_owned(), text(&*sk));
            item.insert(APART.to_owned(), AttributeValue::Bool(true));
            Some(sk)
        };
        let created = match (&run.key, key_until) {
            (Some(key), Some(until)) => self.create_keyed(run, item, key, until).await?,
            _ => self.create_plain(run, item).await?,
        };
        if let (Created::Exists(_), Some(sk)) = (&created, beside) {
            self.drop_beside(&pk, &sk).await;
        }
        Ok(created)
    }

    async fn create_plain(&self, run: &Run, item: Item) -> PortResult<Created> {
        let put = self
            .client
            .put_item()
            .table_name(self.table())
            .set_item(Some(item))
            .condition_expression(ABSENT)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(self.now_s()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Created::New),
            Err(error) => match found(&error) {
                Some(item) => found_run(run, item.clone()),
                None => Err(self.failed(What::of("create the run", &run.id.to_string()), error)),
            },
        }
    }
}

/// The item that was in the way.
pub(super) fn found(error: &SdkError<PutItemError>) -> Option<&Item> {
    match error {
        SdkError::ServiceError(refusal) => match refusal.err() {
            PutItemError::ConditionalCheckFailedException(failure) => failure.item(),
            _ => None,
        },
        _ => None,
    }
}

/// A run was in the way. If it has this one's version, then this one was stored and only the reply was lost.
pub(super) fn found_run(run: &Run, item: Item) -> PortResult<Created> {
    let found: Run = read(item)?;
    Ok(if found.version == run.version { Created::New } else { Created::Exists(found) })
}

impl DynamoStore {
    /// Whether an item has expired by now.
    pub(super) fn has_expired(&self, item: &Item) -> bool {
        is_gone(item, self.now_s())
    }
}
