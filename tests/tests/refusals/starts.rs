//! The options of a start, of a list and of what is done to many.

use std::time::Duration;

use dacapo::{Client, Json, ListFilter, StartRun, prelude::*};
use dacapo_domain::{DeliveryFilter, DeliveryState, State};

use crate::both::{Both, LIMITED, PAID, REPORT, json};

type Change = fn(StartRun<Json>) -> StartRun<Json>;

#[tokio::test]
async fn option_of_a_start_that_is_out_of_range_is_refused_by_both_engines_alike() {
    let mut both = Both::new().await;
    let options: [(&str, Change); 23] = [
        ("key(\"\")", |run| run.key("")),
        ("key of 257 characters", |run| run.key("k".repeat(257))),
        ("key_for(0)", |run| run.key("k").key_for(Duration::ZERO)),
        ("key_for(999 ms)", |run| run.key("k").key_for(Duration::from_millis(999))),
        ("key_for(3,651 days)", |run| run.key("k").key_for(days(3_651))),
        ("key_for without a key", |run| run.key_for(Duration::MAX)),
        ("ttl(0)", |run| run.ttl(Duration::ZERO)),
        ("ttl(Duration::MAX)", |run| run.ttl(Duration::MAX)),
        ("11 tags", |run| run.tags((0..11).map(|tag| tag.to_string()))),
        ("an empty tag", |run| run.tags(["a", ""])),
        ("a tag of 129 characters", |run| run.tags(["t".repeat(129)])),
        ("priority of a task without limits", |run| run.priority(seconds(5))),
        ("debounce(\"\")", |run| run.debounce("", seconds(5))),
        ("debounce key of 257 characters", |run| run.debounce("k".repeat(257), seconds(5))),
        ("debounce of no delay", |run| run.debounce("k", Duration::ZERO)),
        ("debounce of 2 years", |run| run.debounce("k", days(800))),
        ("debounce and key", |run| run.debounce("k", seconds(5)).key("k")),
        ("debounce and after", |run| run.debounce("k", seconds(5)).after("1 hour")),
        ("max_delay without debounce", |run| run.max_delay(seconds(5))),
        ("leading without debounce", StartRun::leading),
        ("max_delay below the delay", |run| run.debounce("k", seconds(5)).max_delay(seconds(1))),
        ("max_delay(Duration::MAX)", |run| run.debounce("k", seconds(5)).max_delay(Duration::MAX)),
        ("leading with max_delay", |run| run.debounce("k", seconds(5)).leading().max_delay(seconds(1))),
    ];
    for (given, change) in options {
        both.refuse(given, async |client: Client| change(client.run(REPORT, json("1"))).await).await;
    }
    for (given, priority) in [("500 ms", Duration::from_millis(500)), ("Duration::MAX", Duration::MAX)] {
        let run = async |client: Client| client.run(LIMITED, json("1")).priority(priority).await;
        both.refuse(&format!("priority({given})"), run).await;
    }
    let many = async |client: Client| client.batch(REPORT, vec![json("1"); 1_001]).await;
    both.refuse("batch of 1,001", many).await;
    for (given, id) in [("", String::new()), ("257 characters", "i".repeat(257))] {
        let publish = async |client: Client| client.publish(PAID, json("1")).id(id.clone()).await;
        both.refuse(&format!("publish.id({given:?})"), publish).await;
    }
    both.are("starts");
}

#[tokio::test]
async fn filter_that_can_t_be_used_is_refused_by_both_engines_alike() {
    let mut both = Both::new().await;
    let filter = ListFilter::default;
    let (early, late) = ("2026-01-01T00:00:00Z".parse().ok(), "2026-02-01T00:00:00Z".parse().ok());
    let lists = [
        ("limit 0", ListFilter { limit: 0, ..filter() }),
        ("limit 1,001", ListFilter { limit: 1_001, ..filter() }),
        ("since after until", ListFilter { since: late, until: early, ..filter() }),
        ("unfinished and completed", ListFilter { unfinished: true, state: Some(State::Completed), ..filter() }),
        ("cursor \"\"", ListFilter { cursor: Some(String::new()), ..filter() }),
        ("cursor \"abc\"", ListFilter { cursor: Some("abc".to_owned()), ..filter() }),
        ("task \"reports\"", ListFilter { task: Some("reports".to_owned()), ..filter() }),
    ];
    for (given, list) in lists {
        both.refuse(&format!("list of {given}"), async |client: Client| client.list(list.clone()).await).await;
        let abort = async |client: Client| client.bulk(list.clone()).abort("no").await;
        if list.limit == filter().limit && list.cursor.is_none() {
            both.refuse(&format!("bulk abort of {given}"), abort).await;
        }
    }
    for rate in [0, 1_000_000] {
        let abort = async |client: Client| client.bulk(filter()).abort("no").per_second(rate).await;
        both.refuse(&format!("bulk abort, {rate} a second"), abort).await;
    }
    both.refuse("bulk abort with an empty key", async |client: Client| client.bulk(filter()).abort("no").key("").await)
        .await;
    let of = DeliveryFilter::default;
    let deliveries = [
        ("limit 0", DeliveryFilter { limit: 0, ..of() }),
        ("since after until", DeliveryFilter { since: late, until: early, ..of() }),
        ("cursor \"abc\"", DeliveryFilter { cursor: Some("abc".to_owned()), ..of() }),
    ];
    for (given, filter) in deliveries {
        let list = async |client: Client| client.deliveries().list(filter.clone()).await;
        both.refuse(&format!("deliveries().list of {given}"), list).await;
    }
    let retrying = DeliveryFilter { state: Some(DeliveryState::Retrying), ..of() };
    let redrive = async |client: Client| client.deliveries().redrive_all(retrying.clone()).await;
    both.refuse("redrive_all of what is retried still", redrive).await;
    both.are("filters");
}
