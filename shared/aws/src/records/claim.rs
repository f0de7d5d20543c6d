//! Idempotency keys: an item that says which run holds the key, written with the run in one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use dacapo::port::{Created, PortError, PortErrorKind, PortResult};
use dacapo_domain::{Run, State};
use jiff::Timestamp;

use super::{
    DynamoStore, Item,
    create::{ABSENT, found_run},
    item::{RUN, key as item_key, number, number_of, read, text, text_of},
};
use crate::error::What;

/// The sort key of a key's item.
const KEY: &str = "key";
/// Which run holds the key.
const HOLDER: &str = "run";
/// Until when it is held, in Unix seconds; on the run too, whose record lives as long.
pub(super) const UNTIL: &str = "keyUntil";

/// Takers of one key that meet try again so often.
const TRIES: u32 = 8;
/// The pause between two tries, at first.
const PAUSE: Duration = Duration::from_millis(20);

/// What came of one try.
enum Try {
    /// Key and run are stored.
    Taken,
    /// Somebody holds the key: its item.
    Held(Item),
    /// A run of this id was there.
    Exists(Item),
    /// Somebody else writes the same items right now, or the key changed hands: once more.
    Again,
}

impl DynamoStore {
    /// Stores a run and its key together, or finds the run that holds the key.
    pub(super) async fn create_keyed(
        &self,
        run: &Run,
        mut item: Item,
        key: &str,
        until: Timestamp,
    ) -> PortResult<Created> {
        item.insert(UNTIL.to_owned(), number(until.as_second()));
        let pk = pk(&run.name, key);
        let mut former: Option<String> = None;
        for attempt in 0..TRIES {
            match self.take(run, &item, &pk, until, former.as_deref()).await? {
                Try::Taken => return Ok(Created::New),
                Try::Exists(found) => return found_run(run, found),
                Try::Again => {
                    former = None;
                    tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await;
                }
                Try::Held(held) => {
                    let holder = text_of(&held, HOLDER).unwrap_or_default().to_owned();
                    let held_until = number_of(&held, UNTIL).unwrap_or_default();
                    match self.get(&format!("run/{holder}"), RUN).await? {
                        Some(found) if holder == run.id.to_string() => return found_run(run, found),
                        Some(found) => {
                            let found: Run = read(found)?;
                            if !may_be_taken_over(&found, held_until, self.now_s()) {
                                return Ok(Created::Exists(found));
                            }
                        }
                        // A key without its run's record can't be judged, and so is no longer held.
                        None => {}
                    }
                    former = Some(holder);
                }
            }
        }
        let message = format!("failed to take the idempotency key {key:?}: too many take it at once (try again)");
        Err(PortError::new(PortErrorKind::Transient, message))
    }

    /// Lets a key end with its run: from now on the run's record says how long it is held.
    pub(super) async fn end_key(&self, run: &Run, key: &str, ttl: i64) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(item_key(pk(&run.name, key), KEY)))
            .update_expression("SET #ttl = :ttl")
            .condition_expression("#holder = :run")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_names("#holder", HOLDER)
            .expression_attribute_values(":ttl", number(ttl))
            .expression_attribute_values(":run", text(run.id.to_string()));
        match update.send().await {
            Ok(_) => Ok(()),
            // Another run holds it by now.
            Err(SdkError::ServiceError(refusal)) if refusal.err().is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(self.failed(What::of("end the key", key), error)),
        }
    }

    async fn take(&self, run: &Run, item: &Item, pk: &str, until: Timestamp, former: Option<&str>) -> PortResult<Try> {
        let mut held = item_key(pk, KEY);
        held.insert(HOLDER.to_owned(), text(run.id.to_string()));
        held.insert(UNTIL.to_owned(), number(until.as_second()));
        let key = Put::builder().table_name(self.table()).set_item(Some(held));
        let key = match former {
            None => key.condition_expression("attribute_not_exists(pk)"),
            Some(former) => key
                .condition_expression("#holder = :former")
                .expression_attribute_names("#holder", HOLDER)
                .expression_attribute_values(":former", text(former)),
        };
        let record = Put::builder()
            .table_name(self.table())
            .set_item(Some(item.clone()))
            .condition_expression(ABSENT)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(self.now_s()));
        let mut write = self.client.transact_write_items();
        for put in [key, record] {
            let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).build();
            let put = put.map_err(|error| {
                PortError::new(PortErrorKind::Refused, "failed to describe a write").caused_by(error)
            })?;
            write = write.transact_items(TransactWriteItem::builder().put(put).build());
        }
        match write.send().await {
            Ok(_) => Ok(Try::Taken),
            Err(error) => match reasons(&error).and_then(read_reasons) {
                Some(tried) => Ok(tried),
                None => Err(self.failed(What::of("create the run", &run.id.to_string()), error)),
            },
        }
    }
}

/// A key's partition. The length keeps task "a/b" with key "c" apart from task "a" with key "b/c".
fn pk(task: &str, key: &str) -> String {
    format!("key/{}/{task}/{key}", task.len())
}

/// A failed or expired run's key is free; a completed or aborted one's once its time is up; an unfinished one's never.
fn may_be_taken_over(run: &Run, held_until: i64, now_s: i64) -> bool {
    match run.state {
        State::Failed | State::Expired => true,
        state => state.is_final() && held_until <= now_s,
    }
}

/// Why a transaction was cancelled, in the order of its writes: the key, the run.
fn reasons(error: &SdkError<TransactWriteItemsError>) -> Option<&[CancellationReason]> {
    match error {
        SdkError::ServiceError(refusal) => match refusal.err() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => Some(cancelled.cancellation_reasons()),
            _ => None,
        },
        _ => None,
    }
}

/// `None` where it was cancelled for a reason that another try doesn't mend.
fn read_reasons(reasons: &[CancellationReason]) -> Option<Try> {
    let failed = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
    let [key, run] = reasons else { return None };
    if failed(key) {
        return Some(key.item().map_or(Try::Again, |item| Try::Held(item.clone())));
    }
    if failed(run) {
        return run.item().map(|item| Try::Exists(item.clone()));
    }
    let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    let passes = |reason: &CancellationReason| reason.code().is_some_and(|code| passing.contains(&code));
    (passes(key) || passes(run)).then_some(Try::Again)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples;

    #[test]
    fn a_key_is_free_once_its_run_failed_and_never_while_it_is_unfinished() {
        let in_state = |state| Run { state, ..samples::run() };
        for (state, before, after) in [
            (State::Submitted, false, false),
            (State::Running, false, false),
            (State::Waiting, false, false),
            (State::Completed, false, true),
            (State::Aborted, false, true),
            (State::Failed, true, true),
            (State::Expired, true, true),
        ] {
            assert_eq!(may_be_taken_over(&in_state(state), 100, 99), before, "{state} before its time is up");
            assert_eq!(may_be_taken_over(&in_state(state), 100, 100), after, "{state} after");
        }
    }

    #[test]
    fn two_tasks_never_share_a_key() {
        assert_ne!(pk("a/b", "c"), pk("a", "b/c"));
    }
}
