//! Deliveries that failed: recorded with their event's body by the first failure, sent again, dropped, redriven.

use dacapo_core::commit::{self, Committed, Seen, Stored, commit};
use dacapo_domain::{
    AttemptError, DeliveryInput, DeliveryMessage, DeliveryPhase, DeliveryRecord, DeliveryState, EventMessage,
    HandlerFailure, Index, Json, Machine, Message, Payloads, Query, Retry, Subscribed, Subscription, Work, seconds,
    slot,
};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{PATIENCE, all_of, ask, deadline, json, large, listed, now},
};

/// An event that was just published to a function of its own.
async fn event(bench: &impl Bench, body: Json) -> EventMessage {
    let function = bench.function("greet").await;
    EventMessage { function, ..EventMessage::at(bench.ports().clock.new_id(), "user-joined", body, now(bench)) }
}

fn subscription(retry: Retry) -> Subscription {
    let (event, handler) = ("user-joined".to_owned(), "greet".to_owned());
    Subscription { event, handler, timeout: seconds(30), retry, dead_letter: true }
}

/// The view of an event whose first handling failed: nothing yet.
fn fresh(event: &EventMessage) -> Seen<DeliveryRecord> {
    Seen::Fresh(DeliveryRecord::fresh(event), Payloads::none().with(slot::BODY, event.body.clone()))
}

fn failure() -> Vec<HandlerFailure> {
    vec![HandlerFailure { handler: "greet".to_owned(), error: AttemptError::retryable("ODD", "failed") }]
}

async fn happen(
    bench: &impl Bench,
    seen: impl Into<Seen<DeliveryRecord>>,
    input: DeliveryInput,
    retry: Retry,
    body: &Json,
) -> Committed<DeliveryRecord> {
    let handlers = [subscription(retry)];
    let subscribed = Subscribed { handlers: &handlers, body };
    let committed = commit(&bench.ports(), seen, &input, subscribed, deadline(bench)).await;
    committed.expect("deliveries can be committed").expect("the delivery is there")
}

async fn first_failed(bench: &impl Bench, event: &EventMessage, retry: Retry) -> DeliveryRecord {
    let input = DeliveryInput::Handled(failure());
    happen(bench, fresh(event), input, retry, &event.body).await.record
}

async fn read(bench: &impl Bench, delivery: &DeliveryRecord) -> Option<Stored<DeliveryRecord>> {
    commit::load(&bench.ports(), &delivery.key()).await.expect("deliveries can be read")
}

fn steady() -> Retry {
    Retry::attempts(3).min(seconds(1)).factor(1.0).jitter(false)
}

/// The record is there with the event's body, and the message of the next attempt comes after its wait.
pub async fn first_failure_is_recorded_and_sent_again(bench: &impl Bench) {
    let event = event(bench, large('x', 200_000)).await;
    let delivery = first_failed(bench, &event, steady()).await;
    bench.reopen().await;
    let payloads = Payloads::none().with(slot::BODY, event.body.clone());
    assert!(read(bench, &delivery).await == Some(Stored { record: delivery.clone(), payloads }));
    let expected = DeliveryMessage { delivery: delivery.record_id(), attempt: 2 };
    assert_eq!(bench.receive_within(&event.function, 1, PATIENCE).await, [Message::Delivery(expected)]);
}

/// A key that no delivery has is no error.
pub async fn delivery_that_was_never_recorded_is_none(bench: &impl Bench) {
    let event = event(bench, json("{}")).await;
    assert_eq!(read(bench, &DeliveryRecord::fresh(&event)).await, None);
}

/// Ten copies of one event fail at once: one failure is recorded.
pub async fn ten_first_failures_of_one_event_are_one(bench: &impl Bench) {
    let event = event(bench, json(r#"{"name":"Ada"}"#)).await;
    let failed = join_all((0..10).map(|_| first_failed(bench, &event, steady()))).await;
    let stands = read(bench, &failed[0]).await.expect("the delivery is there").record;
    assert_eq!(stands.attempt, 2);
    assert!(failed.iter().all(|delivery| *delivery == stands));
}

/// Ten deliveries of one message at once: one calls the handlers.
pub async fn ten_arrivals_of_one_message_take_one_attempt(bench: &impl Bench) {
    let event = event(bench, json("{}")).await;
    let delivery = first_failed(bench, &event, steady()).await;
    bench.skip(seconds(2)).await;
    let arrive = || {
        let seen = Seen::Stored(delivery.clone());
        happen(bench, seen, DeliveryInput::Arrived { attempt: 2 }, steady(), &event.body)
    };
    let arrived = join_all((0..10).map(|_| arrive())).await;
    assert_eq!(arrived.iter().filter(|arrived| arrived.work == Some(Work::CallHandler)).count(), 1);
}

/// A delivery that can't be retried any more is dropped and its event kept as a dead letter, until it is redriven.
pub async fn dropped_delivery_is_kept_and_may_be_redriven(bench: &impl Bench) {
    let event = event(bench, json(r#"{"name":"Ada"}"#)).await;
    let dropped = first_failed(bench, &event, Retry::never()).await;
    assert_eq!(dropped.phase, DeliveryPhase::Dropped);
    assert!(dropped.header().expires_at_s.is_some() && dropped.header().reconcile_at.is_none());
    let letter = Message::Event(dropped.event_message(event.body.clone())).to_text();
    assert!(bench.app_dlq().await.contains(&letter));

    let seen = Seen::Stored(dropped);
    let redriven = happen(bench, seen, DeliveryInput::Redriven, Retry::never(), &event.body).await.record;

    let expected = DeliveryMessage { delivery: redriven.record_id(), attempt: 1 };
    assert_eq!(bench.receive_within(&event.function, 1, PATIENCE).await, [Message::Delivery(expected)]);
    let payloads = Payloads::none().with(slot::BODY, event.body);
    assert_eq!(read(bench, &redriven).await, Some(Stored { record: redriven, payloads }));
}

/// A delivery that has failed is on the lists of its state: of all, of its function, of its event.
pub async fn failed_delivery_is_listed_by_its_state_function_and_event(bench: &impl Bench) {
    let event = event(bench, json("{}")).await;
    let event = EventMessage { name: bench.unique("event"), ..event };
    let on_lists = async |state: DeliveryState, expected: &[&DeliveryRecord]| {
        let function = all_of(Index::Parent, &DeliveryRecord::partition_of_function(&event.function, state));
        let of_event = all_of(Index::Tag, &DeliveryRecord::partition_of_event(&event.name, state));
        let expected: Vec<String> = expected.iter().map(|delivery| delivery.record_id()).collect();
        assert_eq!(listed(bench, &function, expected.len()).await, expected, "{state}");
        assert_eq!(listed(bench, &of_event, expected.len()).await, expected, "{state}");
    };
    let retrying = first_failed(bench, &event, steady()).await;
    on_lists(DeliveryState::Retrying, &[&retrying]).await;

    let other = EventMessage { id: bench.ports().clock.new_id(), ..event.clone() };
    let dropped = first_failed(bench, &other, Retry::never()).await;
    on_lists(DeliveryState::Retrying, &[&retrying]).await;
    on_lists(DeliveryState::Dropped, &[&dropped]).await;
    let all = Query { descending: true, ..all_of(Index::List, &DeliveryRecord::partition(DeliveryState::Dropped)) };
    assert!(ask(bench, &all).await.records.iter().any(|stored| stored.header.key == dropped.key()));

    let deleted = happen(bench, Seen::Stored(dropped), DeliveryInput::Deleted, steady(), &event.body).await;
    assert!(deleted.changed);
    on_lists(DeliveryState::Dropped, &[]).await;
    assert_eq!(read(bench, &deleted.record).await, None);
}

/// A success that is recorded, since its publisher chose the event's id, has failed at no time: no list has it.
pub async fn delivery_that_never_failed_is_on_no_list(bench: &impl Bench) {
    let event = event(bench, json("{}")).await;
    let done = happen(bench, fresh(&event), DeliveryInput::Handled(vec![]), steady(), &event.body).await.record;
    assert_eq!(done.phase, DeliveryPhase::Delivered);
    let partitions = DeliveryState::ALL.map(|state| DeliveryRecord::partition_of_function(&event.function, state));
    let all = Query { partitions: partitions.to_vec(), ..all_of(Index::Parent, "") };
    assert!(listed(bench, &all, 0).await.is_empty());
}
