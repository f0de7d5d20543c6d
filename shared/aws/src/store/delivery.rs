//! Deliveries that failed, or are due later than a queue holds a message.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use dacapo::port::{PortError, PortErrorKind, PortResult, SavedDelivery, StoredDelivery};
use dacapo_domain::{Delivery, Json};

use super::{
    DynamoStore,
    create::{ABSENT, found},
    difference::Difference,
    item::{DELIVERY, delivery_pk, key, number, of_delivery, read, read_json, text, text_of},
    payload::{APART, Payload},
    save::Updated,
};
use crate::error::What;

impl DynamoStore {
    pub(super) async fn put_delivery(&self, delivery: &Delivery, body: &Json) -> PortResult<SavedDelivery> {
        let pk = delivery_pk(&delivery.key());
        let mut item = of_delivery(delivery)?;
        // Its record is rewritten with each attempt, its body never.
        let beside = if Payload::Body.fits(&item, body) {
            item.insert(Payload::Body.inside().to_owned(), text(body.text()));
            None
        } else {
            let sk = self.put_beside(&pk, Payload::Body, body, delivery.version).await?;
            item.insert(Payload::Body.beside().to_owned(), text(&*sk));
            item.insert(APART.to_owned(), AttributeValue::Bool(true));
            Some(sk)
        };
        let put = self
            .client
            .put_item()
            .table_name(self.table())
            .set_item(Some(item))
            .condition_expression(ABSENT)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(self.now_s()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(SavedDelivery::Done) };
        let Some(item) = found(&error) else { return Err(self.failed(What::of("create the delivery", &pk), error)) };
        let found: Delivery = read(item.clone())?;
        if found.version == delivery.version {
            return Ok(SavedDelivery::Done);
        }
        if let Some(sk) = beside {
            self.drop_beside(&pk, &sk).await;
        }
        Ok(SavedDelivery::Lost(Some(found)))
    }

    pub(super) async fn read_delivery(&self, name: &str) -> PortResult<Option<StoredDelivery>> {
        let pk = delivery_pk(name);
        let Some(mut item) = self.get(&pk, DELIVERY).await? else { return Ok(None) };
        let body = match (item.remove(Payload::Body.inside()), text_of(&item, Payload::Body.beside())) {
            (Some(body), _) => read_json(body)?,
            (None, Some(sk)) => self.read_beside(&pk, sk).await?,
            (None, None) => {
                let message = format!("failed to read the delivery {name:?}: it has no body");
                return Err(PortError::new(PortErrorKind::Refused, message));
            }
        };
        Ok(Some(StoredDelivery { delivery: read(item)?, body }))
    }

    pub(super) async fn update_delivery(&self, seen: &Delivery, next: &Delivery) -> PortResult<SavedDelivery> {
        let pk = delivery_pk(&next.key());
        if seen.ttl.is_some() && next.ttl.is_none() {
            // Sent again from the record: its body must not end before it. Before the record, so that none is lost.
            self.end_beside(&pk, None).await?;
        }
        let difference = Difference::between(&of_delivery(seen)?, &of_delivery(next)?);
        match self.update(key(&*pk, DELIVERY), difference, seen.version, next.version).await? {
            Updated::Done(item) => {
                if let Some(ttl) = next.ttl.filter(|_| item.contains_key(APART))
                    && let Err(error) = self.end_beside(&pk, Some(ttl)).await
                {
                    tracing::warn!(delivery = pk, %error, "the event's body may outlive its delivery");
                }
                Ok(SavedDelivery::Done)
            }
            Updated::Lost(found) => Ok(SavedDelivery::Lost(found.map(read).transpose()?)),
        }
    }
}
