//! Pages of an index.

use dacapo_core::port::Ports;
use dacapo_domain::{Index, Page, Query};
use serde_json::json;

use crate::{sheep::Sheep, wire::Wire};

async fn flock(ports: &Ports, names: &[&str]) {
    for name in names {
        Sheep::new(name).store(ports).await;
    }
}

fn query(limit: usize) -> Query {
    let partitions = vec!["flock".to_owned()];
    Query { index: Index::List, partitions, from: None, below: None, descending: false, limit }
}

fn names(page: &Page) -> Vec<String> {
    page.records.iter().map(|stored| stored.document.parse::<Sheep>().unwrap().name).collect()
}

#[tokio::test]
async fn records_of_all_shards_come_in_order_and_the_last_page_has_no_cursor() {
    let wire = Wire::default();
    let ports = wire.ports();
    flock(&ports, &["c", "a", "f", "e", "b", "d"]).await;

    let first = ports.records.query(&query(4)).await.unwrap();
    assert_eq!((names(&first).concat(), first.last.as_deref()), ("abcd".to_owned(), Some("d\0sheep/d\0record")));
    let all = ports.records.query(&query(6)).await.unwrap();
    assert_eq!((names(&all).concat(), all.last), ("abcdef".to_owned(), None));

    let descending = Query { descending: true, ..query(4) };
    let first = ports.records.query(&descending).await.unwrap();
    assert_eq!((names(&first).concat(), first.last.as_deref()), ("fedc".to_owned(), Some("c\0sheep/c\0record")));
    let second = ports.records.query(&Query { below: first.last, ..descending }).await.unwrap();
    assert_eq!((names(&second).concat(), second.last), ("ba".to_owned(), None));
}

#[tokio::test]
async fn bounds_include_the_first_and_leave_out_the_last() {
    let wire = Wire::default();
    let ports = wire.ports();
    flock(&ports, &["a", "b", "c", "d", "e"]).await;
    let bound = |text: &str| Some(text.to_owned());
    for (from, below, expected) in [
        (bound("b"), None, "bcde"),
        (None, bound("d"), "abc"),
        (bound("b"), bound("d"), "bc"),
        (bound("d"), bound("d"), ""),
    ] {
        for (descending, limit) in [(false, 10), (true, 10), (true, expected.len().max(1))] {
            let page = Query { from: from.clone(), below: below.clone(), descending, ..query(limit) };
            let page = ports.records.query(&page).await.unwrap();
            let mut expected: Vec<char> = expected.chars().collect();
            if descending {
                expected.reverse();
            }
            assert_eq!(names(&page).concat(), expected.into_iter().collect::<String>());
            assert_eq!(page.last, None);
        }
    }
}

#[tokio::test]
async fn expired_records_are_left_out_of_a_page_that_goes_on_behind_them() {
    let wire = Wire::default();
    let ports = wire.ports();
    flock(&ports, &["a", "c"]).await;
    Sheep { expires_at_s: Some(1), ..Sheep::new("b") }.store(&ports).await;
    let page = ports.records.query(&query(2)).await.unwrap();
    assert_eq!((names(&page).concat(), page.last.as_deref()), ("a".to_owned(), Some("b\0sheep/b\0record")));
}

#[tokio::test]
async fn partitions_that_hold_nothing_take_no_read_of_records() {
    let wire = Wire::default();
    let partitions = vec!["herd".to_owned(), "swarm".to_owned()];
    let page = wire.ports().records.query(&Query { partitions, ..query(10) }).await.unwrap();
    assert_eq!(page, Page::default());
    assert_eq!(wire.operations(), ["Query"; 16], "eight shards of each");
}

#[tokio::test]
async fn keys_that_a_batch_left_out_are_asked_for_again() {
    let wire = Wire::default();
    flock(&wire.ports(), &["a", "b"]).await;
    wire.forget();
    let other_end = wire.clone();
    let ports = wire.ports_with(move |operation, input| {
        let keys = input["RequestItems"]["shop-dev"]["Keys"].as_array().filter(|_| operation == "BatchGetItem")?;
        let [first, rest @ ..] = &keys[..] else { return None };
        let one = json!({ "RequestItems": { "shop-dev": { "Keys": [first] } } });
        let (status, mut answer) = other_end.table.lock().unwrap().answer(operation, &one);
        if !rest.is_empty() {
            answer["UnprocessedKeys"] = json!({ "shop-dev": { "Keys": rest } });
        }
        Some((status, answer))
    });
    assert_eq!(names(&ports.records.query(&query(10)).await.unwrap()).concat(), "ab");
    assert_eq!(wire.inputs("BatchGetItem").len(), 2);
    assert_eq!(wire.inputs("BatchGetItem")[0]["RequestItems"]["shop-dev"]["ConsistentRead"], true);
}

#[tokio::test]
async fn reconciled_records_come_by_when_they_are_due() {
    let wire = Wire::default();
    let ports = wire.ports();
    for (name, at) in
        [("late", "2026-11-21T21:00:00Z"), ("soon", "2026-11-21T19:00:00Z"), ("next", "2026-11-21T20:00:00Z")]
    {
        Sheep { reconcile_at: Some(at.parse().unwrap()), ..Sheep::new(name) }.store(&ports).await;
    }
    let below = Some(dacapo_domain::sort_time("2026-11-21T20:30:00Z".parse().unwrap()));
    let partitions = vec![dacapo_domain::IndexEntry::RECONCILED.to_owned()];
    let due = Query { index: Index::Reconcile, partitions, below, ..query(10) };
    assert_eq!(names(&ports.records.query(&due).await.unwrap()), ["soon", "next"]);
}

#[tokio::test]
async fn item_that_cannot_be_read_hides_none_of_its_page() {
    let wire = Wire::default();
    let ports = wire.ports();
    flock(&ports, &["a", "b", "c", "d"]).await;
    {
        let mut table = wire.table.lock().unwrap();
        let key = |name: &str| (format!("sheep/{name}"), "record".to_owned());
        table.items.get_mut(&key("b")).unwrap().remove("version");
        table.items.get_mut(&key("c")).unwrap().insert("doc".to_owned(), json!({ "S": "{" }));
    }
    let page = ports.records.query(&query(10)).await.unwrap();
    assert_eq!(names(&page).concat(), "ad");
    let [b, c] = &page.unreadable[..] else { panic!("{page:?}") };
    assert_eq!((&*b.key, &*c.key), ("sheep/b", "sheep/c"));
    assert_eq!(b.problem, "failed to read the item \"sheep/b\" (was it written by another version?)");
    let at = Sheep::new("b").reconcile_at;
    assert_eq!((b.reconcile_at, c.reconcile_at), (at, at), "by which the conductor can put them off");
}
