//! Events: each subscriber's delivery by itself, each message of a batch by itself.

use std::collections::BTreeMap;

use app::{SEND_WELCOME, USER_JOINED, UserJoined};
use chaos::CHAOS;
use dacapo::Id;
use dacapo::{State, Timestamp, seconds};
use dacapo_core::commit::load;
use dacapo_domain::{DeliveryPhase, DeliveryRecord, Machine, RecordKey};
use flaky::{THING, Thing};
use futures::future::join_all;

use crate::app::{App, eventually};

#[tokio::test]
async fn a_failing_handler_is_retried_per_message_and_its_batch_neighbours_are_left_alone() {
    let app = App::deployed().await;
    // The app may outlive a run of the tests: this run's things are told from another's.
    let batch = format!("batch {} ", Timestamp::now());
    // They become visible together, so that a poll finds them in one batch.
    let things = [("first", 0), ("failing", 2), ("third", 0), ("fourth", 0)];
    let published = join_all(things.map(|(name, failures)| {
        let thing = Thing { name: format!("{batch}{name}"), failures };
        app.client.publish(THING, thing).after(seconds(3)).into_future()
    }));
    let ids: Vec<_> = published.await.into_iter().map(|published| published.unwrap().id).collect();

    let delivery = eventually("the failing one is delivered in the end", || async {
        let delivery = app.delivery(ids[1]).await.ok_or("no record")?;
        let is_over = matches!(delivery.phase, DeliveryPhase::Delivered | DeliveryPhase::Dropped);
        if is_over { Ok(delivery) } else { Err(format!("{delivery:#?}")) }
    });
    let delivery = delivery.await;
    assert_eq!((delivery.phase, delivery.attempt), (DeliveryPhase::Delivered, 3), "{delivery:#?}");

    let calls = eventually("each was called as often as it had to be", || async {
        let calls = calls(&app, &batch).await;
        let wanted = [("failing", 3), ("first", 1), ("fourth", 1), ("third", 1)];
        let wanted: BTreeMap<String, usize> = wanted.map(|(name, count)| (format!("{batch}{name}"), count)).into();
        if calls == wanted { Ok(calls) } else { Err(format!("{calls:?}")) }
    });
    calls.await;
    for id in [ids[0], ids[2], ids[3]] {
        assert_eq!(app.delivery(id).await, None, "a success at the first try writes nothing");
    }
}

#[tokio::test]
async fn event_of_a_new_user_published_twice_is_followed_by_one_welcome() {
    let app = App::deployed().await;
    let email = format!("grace-{}@example.org", Timestamp::now().as_nanosecond());

    for _ in 0..2 {
        let published = app.client.publish(USER_JOINED, UserJoined { email: email.clone() }).await.unwrap();
        assert_eq!(published.subscribers, 1);
    }

    let welcomed = || async {
        let runs = app.runs(SEND_WELCOME.name()).await;
        let body = format!(r#"{{"email":"{email}"}}"#);
        runs.into_iter().filter(|run| run.body.as_ref().is_some_and(|given| given.text() == body)).collect::<Vec<_>>()
    };
    let runs = eventually("a welcome is scheduled", || async {
        let runs = welcomed().await;
        if runs.is_empty() { Err("none".to_owned()) } else { Ok(runs) }
    });
    let runs = runs.await;
    assert_eq!(runs[0].state, State::Scheduled);
    app.client.abort(runs[0].id, "seen").await.unwrap();
    eventually("both events are handled", || async {
        let backlog = app.backlog("user-joined").await;
        if backlog.visible + backlog.in_flight == 0 { Ok(()) } else { Err(format!("{backlog:?}")) }
    })
    .await;
    assert_eq!(welcomed().await.len(), 1, "the handler's key makes it one");
}

/// The number of times that `flaky` was called for each thing: a call leaves a run that is tagged with the thing.
async fn calls(app: &App, things: &str) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for run in app.runs(CHAOS.name()).await {
        if let Some(thing) = run.tags.first().filter(|tag| tag.starts_with(things)) {
            *calls.entry(thing.clone()).or_default() += 1;
        }
    }
    calls
}

impl App {
    /// The record of a thing's delivery at `flaky`, if there is one.
    async fn delivery(&self, event: Id) -> Option<DeliveryRecord> {
        let key = RecordKey::new(DeliveryRecord::KIND, format!("{event}/flaky/{}", THING.name()));
        load(self.client.ports(), &key).await.unwrap().map(|stored| stored.record)
    }
}
