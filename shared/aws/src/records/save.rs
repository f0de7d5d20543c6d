//! A changed run.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use dacapo::port::{Payloads, PortError, PortResult, Saved};
use dacapo_domain::{Run, Version};

use super::{
    DynamoStore, Item,
    difference::Difference,
    item::{RUN, VERSION, key, of_run, read_run, run_pk, text, text_of},
    payload::{APART, Payload},
};
use crate::error::What;

/// What came of an update.
pub(super) enum Updated {
    /// It was written: the item as it is now.
    Done(Item),
    /// The condition failed: the item that stands there, unless there is none or it has expired.
    Lost(Option<Item>),
}

impl DynamoStore {
    pub(super) async fn save_run(&self, seen: &Run, next: &Run, payloads: &Payloads) -> PortResult<Saved> {
        let pk = run_pk(next.id);
        let record = of_run(next)?;
        let mut difference = Difference::between(&of_run(seen)?, &record);
        let mut beside = vec![];
        for (kind, json) in [(Payload::Input, &payloads.input), (Payload::Result, &payloads.result)] {
            let Some(json) = json else { continue };
            if kind.fits(&record, json) {
                difference.set(kind.inside(), text(json.text()));
                difference.remove(kind.beside());
            } else {
                let sk = self.put_beside(&pk, kind, json, next.version).await?;
                difference.set(kind.beside(), text(&*sk));
                difference.set(APART, AttributeValue::Bool(true));
                difference.remove(kind.inside());
                beside.push(sk);
            }
        }
        match self.update(key(&*pk, RUN), difference, seen.version, next.version).await? {
            Updated::Done(item) => {
                let mut stored = Box::new(read_run(item.clone())?);
                stored.run.ttl = self.end_with(next, &item).await;
                Ok(Saved::Done(stored))
            }
            Updated::Lost(found) => {
                for sk in beside {
                    self.drop_beside(&pk, &sk).await;
                }
                Ok(Saved::Lost(found.map(read_run).transpose()?.map(Box::new)))
            }
        }
    }

    /// Writes the difference, on the condition that the version is the seen one's. Finding the next one's there
    /// means that the write happened before and only its reply was lost.
    pub(super) async fn update(
        &self,
        key: Item,
        difference: Difference,
        seen: Version,
        next: Version,
    ) -> PortResult<Updated> {
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(key))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match difference.apply(update, &hex(seen), self.now_s()).send().await {
            Ok(reply) => Ok(Updated::Done(reply.attributes.unwrap_or_default())),
            Err(SdkError::ServiceError(refusal)) => match refusal.err() {
                UpdateItemError::ConditionalCheckFailedException(failure) => {
                    let found = failure.item().filter(|item| !self.has_expired(item)).cloned();
                    Ok(match found {
                        Some(item) if text_of(&item, VERSION) == Some(&hex(next)) => Updated::Done(item),
                        found => Updated::Lost(found),
                    })
                }
                _ => Err(self.failed(What::new("save the record"), SdkError::ServiceError(refusal))),
            },
            Err(error) => Err(self.failed(What::new("save the record"), error)),
        }
    }

    /// The port error of a failed call of DynamoDB.
    pub(super) fn failed<E>(&self, what: What<'_>, error: SdkError<E>) -> PortError
    where
        E: std::error::Error + aws_sdk_dynamodb::error::ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.stack.errors().port(what, error)
    }
}

/// A version as it is stored.
pub(super) fn hex(version: Version) -> String {
    format!("{:016x}", version.0)
}
