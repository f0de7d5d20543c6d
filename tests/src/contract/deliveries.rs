//! Deliveries that failed, or that are held back.

use dacapo::port::{SavedDelivery, StoredDelivery};
use dacapo_domain::{Delivery, DeliveryState, seconds};

use super::{
    Bench,
    fixture::{delivery, event, json, now, version},
};

async fn stored(bench: &impl Bench) -> Delivery {
    let event = event(bench, r#"{"name":"Ada"}"#);
    let delivery = delivery(bench, &event);
    let saved = bench.ports().store.create_delivery(&delivery, &event.body).await;
    assert_eq!(saved.unwrap(), SavedDelivery::Done);
    delivery
}

async fn load(bench: &impl Bench, delivery: &Delivery) -> Option<StoredDelivery> {
    bench.ports().store.load_delivery(&delivery.key()).await.expect("deliveries can be read")
}

fn next(bench: &impl Bench, seen: &Delivery, change: impl FnOnce(&mut Delivery)) -> Delivery {
    let mut next = Delivery { version: version(bench), ..seen.clone() };
    change(&mut next);
    next
}

/// What was stored is there with the event's body.
pub async fn a_new_delivery_is_there_with_its_body(bench: &impl Bench) {
    let delivery = stored(bench).await;
    bench.reopen().await;
    let body = json(r#"{"name":"Ada"}"#);
    assert_eq!(load(bench, &delivery).await, Some(StoredDelivery { delivery, body }));
}

/// A key that nobody used is no error.
pub async fn a_delivery_that_is_not_there_is_none(bench: &impl Bench) {
    let delivery = delivery(bench, &event(bench, "{}"));
    assert_eq!(load(bench, &delivery).await, None);
}

/// The second to record a delivery gets the first one's record, and changes nothing.
pub async fn a_delivery_is_created_once(bench: &impl Bench) {
    let first = stored(bench).await;
    let second = next(bench, &first, |delivery| delivery.attempt = 7);

    let saved = bench.ports().store.create_delivery(&second, &json("2")).await.unwrap();

    assert_eq!(saved, SavedDelivery::Lost(Some(first.clone())));
    let stands = load(bench, &first).await.unwrap();
    assert_eq!((stands.delivery, stands.body), (first, json(r#"{"name":"Ada"}"#)));
}

/// A reply was lost and the call is made again.
pub async fn a_delivery_stored_again_finds_that_it_has_won(bench: &impl Bench) {
    let first = stored(bench).await;
    let again = bench.ports().store.create_delivery(&first, &json("{}")).await.unwrap();
    assert_eq!(again, SavedDelivery::Done);

    let second = next(bench, &first, |delivery| delivery.attempt = 2);
    for _ in 0..2 {
        let saved = bench.ports().store.save_delivery(&first, &second).await.unwrap();
        assert_eq!(saved, SavedDelivery::Done);
    }
}

/// The record is replaced, the body stays.
pub async fn a_save_replaces_the_delivery(bench: &impl Bench) {
    let first = stored(bench).await;
    let second = next(bench, &first, |delivery| {
        delivery.attempt = 2;
        delivery.watch_at = None;
        delivery.state = DeliveryState::Dropped;
    });

    assert_eq!(bench.ports().store.save_delivery(&first, &second).await.unwrap(), SavedDelivery::Done);

    let stands = load(bench, &first).await.unwrap();
    assert_eq!((stands.delivery, stands.body), (second, json(r#"{"name":"Ada"}"#)));
}

/// Who has not seen the last version changes nothing and learns what stands there.
pub async fn a_lost_save_gives_the_delivery_that_won(bench: &impl Bench) {
    let first = stored(bench).await;
    let winner = next(bench, &first, |delivery| delivery.attempt = 2);
    let loser = next(bench, &first, |delivery| delivery.attempt = 3);
    bench.ports().store.save_delivery(&first, &winner).await.unwrap();

    let saved = bench.ports().store.save_delivery(&first, &loser).await.unwrap();

    assert_eq!(saved, SavedDelivery::Lost(Some(winner.clone())));
    assert_eq!(load(bench, &first).await.unwrap().delivery, winner);
}

/// A save never makes a delivery out of nothing.
pub async fn a_save_of_a_delivery_that_is_not_there_stores_nothing(bench: &impl Bench) {
    let seen = delivery(bench, &event(bench, "{}"));
    let next = next(bench, &seen, |delivery| delivery.attempt = 2);
    let saved = bench.ports().store.save_delivery(&seen, &next).await.unwrap();
    assert_eq!(saved, SavedDelivery::Lost(None));
    assert_eq!(load(bench, &seen).await, None);
}

/// Once its time is up it is gone, and the same event may be recorded anew.
pub async fn an_expired_delivery_is_gone(bench: &impl Bench) {
    let first = stored(bench).await;
    let ttl = Some(now(bench).as_second() + 1);
    let dropped = next(bench, &first, |delivery| delivery.ttl = ttl);
    bench.ports().store.save_delivery(&first, &dropped).await.unwrap();

    bench.pass(seconds(3)).await;

    assert_eq!(load(bench, &first).await, None);
    let late = next(bench, &dropped, |delivery| delivery.ttl = None);
    let saved = bench.ports().store.save_delivery(&dropped, &late).await.unwrap();
    assert_eq!(saved, SavedDelivery::Lost(None), "nobody saves what is gone");
    let anew = next(bench, &first, |_| ());
    let saved = bench.ports().store.create_delivery(&anew, &json("2")).await.unwrap();
    assert_eq!(saved, SavedDelivery::Done);
    let stands = load(bench, &first).await.unwrap();
    assert_eq!((stands.delivery, stands.body), (anew, json("2")));
}
