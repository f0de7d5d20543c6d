//! Queues as SQS has them, and no kinder.

use std::{collections::BTreeMap, time::Duration};

use dacapo_core::port::{Clock, Outbox, Probe};
use dacapo_domain::{Effect, Json, days, seconds};

use super::{Bench, send_at, text};
use crate::sqlite::{APP_DLQ, Rooms};

#[tokio::test]
async fn received_message_is_hidden_until_its_visibility_ends() {
    let bench = Bench::new().await;
    bench.send("a", Duration::ZERO).await;

    let first = bench.receive("greet").await;
    assert_eq!((first[0].text.clone(), first[0].receives), (text("a"), 1));
    assert!(!bench.database.has_backlog("greet").await.unwrap());
    bench.pass(Duration::from_millis(29_999));
    assert!(bench.receive("greet").await.is_empty());

    bench.pass(Duration::from_millis(1));
    assert!(bench.database.has_backlog("greet").await.unwrap());
    assert_eq!(bench.receive("greet").await[0].receives, 2);
}

#[tokio::test]
async fn acknowledged_message_is_gone() {
    let bench = Bench::new().await;
    bench.send("a", Duration::ZERO).await;
    let received = bench.receive("greet").await.remove(0);

    assert!(bench.database.acknowledge(received.receipt).await.unwrap());

    assert!(!bench.database.acknowledge(received.receipt).await.unwrap());
    bench.pass(seconds(60));
    assert!(bench.receive("greet").await.is_empty());
}

#[tokio::test]
async fn receipt_is_worth_nothing_once_the_message_was_received_again() {
    let bench = Bench::new().await;
    bench.send("a", Duration::ZERO).await;
    let old = bench.receive("greet").await.remove(0).receipt;
    bench.pass(seconds(30));
    let new = bench.receive("greet").await.remove(0).receipt;

    assert!(!bench.database.acknowledge(old).await.unwrap());
    assert!(bench.database.acknowledge(new).await.unwrap());
}

#[tokio::test]
async fn old_receipt_never_meets_a_new_message() {
    let bench = Bench::new().await;
    bench.send("a", Duration::ZERO).await;
    let old = bench.receive("greet").await.remove(0).receipt;
    bench.database.acknowledge(old).await.unwrap();
    bench.send("b", Duration::ZERO).await;
    bench.receive("greet").await;

    assert!(!bench.database.acknowledge(old).await.unwrap());
}

#[tokio::test]
async fn receive_gives_no_more_than_asked_for() {
    let bench = Bench::new().await;
    for text in ["a", "b", "c"] {
        bench.send(text, Duration::ZERO).await;
    }
    assert_eq!(bench.database.receive("greet", 2).await.unwrap().len(), 2);
    assert_eq!(bench.database.receive("greet", 2).await.unwrap().len(), 1);
}

#[tokio::test]
async fn delay_is_rounded_up_to_whole_seconds() {
    let bench = Bench::new().await;
    bench.send("a", Duration::from_millis(1_001)).await;
    bench.pass(Duration::from_millis(1_999));
    assert!(bench.receive("greet").await.is_empty());
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.texts("greet").await, [text("a")]);
}

#[tokio::test]
async fn message_received_too_often_is_moved_and_makes_room() {
    let bench = Bench::new().await;
    bench.send("poison", Duration::ZERO).await;
    for receives in 1..=3 {
        assert_eq!(bench.receive("greet").await[0].receives, receives);
        bench.pass(seconds(30));
    }
    bench.send("good", Duration::ZERO).await;

    let received = bench.database.receive("greet", 1).await.unwrap();

    assert_eq!(received[0].text, text("good"), "the moved one doesn't count");
    let dead = bench.receive(APP_DLQ).await;
    assert_eq!((dead[0].text.clone(), dead[0].receives), (text("poison"), 1));
}

#[tokio::test]
async fn message_is_kept_for_fourteen_days_wherever_it_is_moved() {
    let bench = Bench::new().await;
    bench.send("poison", Duration::ZERO).await;
    for _ in 0..3 {
        bench.receive("greet").await;
        bench.pass(seconds(30));
    }
    assert!(bench.receive("greet").await.is_empty());
    bench.pass(days(14) - seconds(91));
    assert_eq!(bench.texts(APP_DLQ).await, [text("poison")]);
    bench.pass(days(1));
    assert!(bench.receive(APP_DLQ).await.is_empty());
}

#[tokio::test]
async fn engine_that_starts_finds_what_its_predecessor_held() {
    let bench = Bench::new().await;
    bench.send("held", Duration::ZERO).await;
    bench.send("later", seconds(60)).await;
    bench.receive("greet").await;

    bench.database.recover().await.unwrap();

    let received = bench.receive("greet").await;
    assert_eq!(received.len(), 1, "a delay is no hold");
    assert_eq!((received[0].text.clone(), received[0].receives), (text("held"), 2));
}

#[tokio::test]
async fn engine_learns_what_is_due_and_when_it_will_be() {
    let bench = Bench::new().await;
    let (database, start) = (&bench.database, bench.clock.now());
    let rooms = || Rooms { messages: BTreeMap::from([("greet".to_owned(), 10)]), ..Rooms::default() };
    assert_eq!(bench.next_due().await, None);

    bench.post(send_at("timer", "greet", "b", start + Duration::from_millis(60_500))).await;
    assert_eq!(bench.next_due().await, Some(start + seconds(61)), "timers keep whole seconds");
    bench.send("a", seconds(10)).await;
    assert_eq!(bench.next_due().await, Some(start + seconds(10)));
    assert!(database.take_due(rooms()).await.unwrap().messages.is_empty());

    bench.pass(seconds(10));
    let due = database.take_due(rooms()).await.unwrap();
    let [(queue, received)] = &due.messages[..] else { panic!("{due:?}") };
    assert_eq!((queue.as_str(), received[0].text.clone()), ("greet", text("a")));
    assert_eq!(due.next, Some(start + seconds(40)), "its visibility ends");
    database.acknowledge(received[0].receipt).await.unwrap();
    assert_eq!(bench.next_due().await, Some(start + seconds(61)));

    bench.pass(seconds(51));
    let due = database.take_due(rooms()).await.unwrap();
    assert_eq!(due.messages[0].1[0].text, text("b"), "the timer has fired");
    bench.pass(seconds(30));
    assert_eq!(bench.receive("greet").await[0].receives, 2, "and fired once");
}

#[tokio::test]
async fn timer_for_a_function_that_is_gone_ends_in_the_apps_dead_letter_queue() {
    let bench = Bench::new().await;
    bench.post(send_at("timer", "gone", "a", bench.clock.now())).await;
    bench.due(0).await;
    assert_eq!(bench.texts(APP_DLQ).await, [text("a")]);
}

#[tokio::test]
async fn waiter_for_changes_is_woken_by_a_send() {
    let bench = Bench::new().await;
    let declared = tokio::time::timeout(seconds(5), bench.database.changed());
    declared.await.expect("the queue's declaration wakes it");
    let waiter = {
        let database = bench.database.clone();
        tokio::spawn(async move { database.changed().await })
    };
    tokio::task::yield_now().await;
    assert!(!waiter.is_finished());
    bench.send("a", Duration::ZERO).await;
    tokio::time::timeout(seconds(5), waiter).await.expect("the send wakes it").unwrap();
}

#[tokio::test]
async fn message_that_sqs_would_refuse_is_refused_in_every_queue() {
    let bench = Bench::new().await;
    let refused = async |text: &str| {
        let message = Json::from_text(text).unwrap();
        let send = Effect::Send { to: "greet".to_owned(), message, delay: Duration::ZERO };
        let dead = Effect::DeadLetter { function: "greet".to_owned(), text: text.to_owned() };
        let (send, dead) = (bench.database.post(&send).await, bench.database.post(&dead).await);
        let told = send.as_ref().err().map(ToString::to_string);
        assert_eq!(dead.err().map(|error| error.to_string()), told);
        told
    };
    let of = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert_eq!(refused(&of(1_048_576)).await, None);
    let told = refused(&of(1_048_577)).await.unwrap();
    assert_eq!(told, "a message of 1048577 bytes can't be sent (allowed: 1 to 1048576)");
    assert_eq!(refused("\"\u{ffff}\"").await.unwrap(), "a message with '\\u{ffff}' can't be sent (SQS refuses it)");
}
