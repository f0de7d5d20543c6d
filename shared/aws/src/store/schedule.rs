//! What is kept of schedules, all in one partition, by name.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use dacapo::port::{PortError, PortErrorKind, PortResult, ScheduleItem};

use super::{
    DynamoStore, Item,
    create::found,
    item::{PK, VERSION, key, text, text_of},
    save::hex,
};
use crate::error::What;

/// The partition.
const SCHEDULE: &str = "schedule";
/// The attribute that holds a schedule, as JSON text: its body is carried, not read.
const DATA: &str = "data";

impl DynamoStore {
    pub(super) async fn read_schedule(&self, name: &str) -> PortResult<Option<ScheduleItem>> {
        self.get(SCHEDULE, name).await?.map(|item| read(&item)).transpose()
    }

    pub(super) async fn put_schedule(&self, seen: Option<&ScheduleItem>, next: &ScheduleItem) -> PortResult<bool> {
        let data = serde_json::to_string(next)
            .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to write the schedule").caused_by(error))?;
        let version = hex(next.version);
        let mut item = key(SCHEDULE, &*next.name);
        item.insert(VERSION.to_owned(), text(&*version));
        item.insert(DATA.to_owned(), text(data));
        let put = self
            .client
            .put_item()
            .table_name(self.table())
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match seen {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(seen) => put
                .condition_expression("#version = :seen")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":seen", text(hex(seen.version))),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match found(&error) {
                // Its own version says that it was written before, and only the reply was lost.
                Some(item) => Ok(text_of(item, VERSION) == Some(&version)),
                None if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                    Ok(false)
                }
                None => Err(self.failed(What::of("save the schedule", &next.name), error)),
            },
        }
    }

    pub(super) async fn remove_schedule(&self, name: &str) -> PortResult<()> {
        let delete = self.client.delete_item().table_name(self.table()).set_key(Some(key(SCHEDULE, name)));
        delete.send().await.map_err(|error| self.failed(What::of("delete the schedule", name), error))?;
        Ok(())
    }

    pub(super) async fn read_schedules(&self) -> PortResult<Vec<ScheduleItem>> {
        let mut from: Option<Item> = None;
        let mut schedules = vec![];
        loop {
            let query = self
                .client
                .query()
                .table_name(self.table())
                .key_condition_expression("#pk = :schedule")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":schedule", text(SCHEDULE))
                .consistent_read(true)
                .set_exclusive_start_key(from);
            let reply = query.send().await.map_err(|error| self.failed(What::new("list the schedules"), error))?;
            for item in reply.items() {
                schedules.push(read(item)?);
            }
            from = reply.last_evaluated_key;
            if from.is_none() {
                return Ok(schedules);
            }
        }
    }
}

fn read(item: &Item) -> PortResult<ScheduleItem> {
    serde_json::from_str(text_of(item, DATA).unwrap_or_default())
        .map_err(|error| PortError::new(PortErrorKind::Refused, "failed to read a schedule").caused_by(error))
}
