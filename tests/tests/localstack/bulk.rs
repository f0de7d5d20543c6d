//! Actions on all runs, or dead letters, that a filter names, by the conductor.

use std::collections::BTreeMap;

use chaos::{CHAOS, Chaos};
use dacapo::{
    BulkTally, DeliveryFilter, DeliveryState, Id, ListFilter, Started, State, Timestamp, Trigger, hours, minutes,
};
use flaky::{THING, Thing};

use crate::app::{App, eventually, result};

const MANY: u32 = 30;

#[tokio::test]
async fn runs_of_a_tag_are_aborted_then_replayed_and_no_others() {
    let app = App::deployed().await;
    let tag = format!("bulk {}", Timestamp::now());
    // Half of them wait in a queue, half with the scheduler.
    let delay = |n: u32| if n.is_multiple_of(2) { minutes(14) } else { hours(1) };
    let runs = (0..MANY).map(|n| app.client.run(CHAOS, Chaos::default()).after(delay(n)).tags([tag.clone()]));
    let started = app.client.batch_of(runs).await.unwrap();
    let ids: Vec<Id> = started.into_iter().map(|started| started.unwrap().id()).collect();
    let other = app.client.run(CHAOS, Chaos::default()).after(minutes(14)).await.unwrap().id();
    let tagged = ListFilter { tag: Some(tag.clone()), ..ListFilter::default() };

    let abort = || app.client.bulk(tagged.clone()).abort("not needed");
    assert_eq!(abort().count().await.unwrap(), u64::from(MANY));
    app.has_done(abort().await.unwrap(), MANY).await;
    for id in &ids {
        let run = app.ended(*id).await;
        assert_eq!((run.state, run.message.as_deref()), (State::Aborted, Some("not needed")), "{run:#?}");
    }
    app.has_done(app.client.bulk(tagged.clone()).replay().await.unwrap(), MANY).await;
    let replays = eventually("each is replayed, and has ended", || async {
        let mut replays = app.runs(CHAOS.name()).await;
        replays
            .retain(|run| run.trigger == Trigger::Replay && run.parent_id.is_some_and(|parent| ids.contains(&parent)));
        let are_over = replays.iter().all(|run| run.state == State::Completed);
        if replays.len() == MANY as usize && are_over { Ok(replays) } else { Err(format!("{replays:#?}")) }
    })
    .await;
    let mut parents: Vec<Id> = replays.iter().filter_map(|run| run.parent_id).collect();
    parents.sort_unstable();
    let mut expected = ids;
    expected.sort_unstable();
    assert_eq!(parents, expected);
    assert_eq!(app.client.abort(other, "seen").await.unwrap().state, State::Aborted, "it had not ended");
}

#[tokio::test]
async fn dead_letters_of_a_time_are_redriven_with_their_attempts_at_none() {
    let app = App::deployed().await;
    let since = Timestamp::now();
    let names: Vec<String> = (0..4).map(|n| format!("dead {since} {n}")).collect();
    for name in &names {
        // It never succeeds.
        app.client.publish(THING, Thing { name: name.clone(), failures: 1_000 }).await.unwrap();
    }
    let filter = DeliveryFilter {
        event: Some(THING.name().into_owned()),
        state: Some(DeliveryState::Dropped),
        since: Some(since),
        ..DeliveryFilter::default()
    };
    app.drops(&filter, &names, 3).await;
    let redrive = app.client.deliveries().redrive_all(filter.clone()).await.unwrap();
    app.has_done(redrive, 4).await;
    app.drops(&filter, &names, 6).await;
}

impl App {
    /// Waits for the end of a bulk run, which has done it to so many and to none in vain.
    async fn has_done(&self, started: Started<BulkTally>, many: u32) {
        let run = self.ended(started.id()).await;
        assert_eq!(result::<BulkTally>(&run), BulkTally { done: u64::from(many), ..BulkTally::default() }, "{run:#?}");
    }

    /// Waits until all of these things are dropped, each after so many calls.
    async fn drops(&self, filter: &DeliveryFilter, names: &[String], calls: usize) {
        eventually("all are dropped", || async {
            let dropped = self.client.deliveries().list(filter.clone()).await.unwrap().deliveries;
            let mut called: BTreeMap<String, usize> = BTreeMap::new();
            for run in self.runs(CHAOS.name()).await {
                if let Some(name) = run.tags.first().filter(|tag| names.contains(tag)) {
                    *called.entry(name.clone()).or_default() += 1;
                }
            }
            let wanted: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), calls)).collect();
            let is_so = dropped.len() >= names.len() && called == wanted;
            if is_so { Ok(()) } else { Err(format!("{called:?}, {dropped:#?}")) }
        })
        .await;
    }
}
