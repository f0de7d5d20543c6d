//! One-time schedules: a message at a time, or up to a minute after it.

use dacapo_domain::seconds;

use super::{
    Bench,
    fixture::{PATIENCE, message, now},
};

/// Nothing before its time, the message after it, and once.
pub async fn a_timer_sends_its_message_at_its_time(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let (name, at) = (bench.unique("timer"), now(bench) + seconds(5));
    bench.ports().timers.put(&name, at, &function, &message("due")).await.unwrap();
    bench.reopen().await;

    bench.pass(seconds(1)).await;
    assert!(bench.receive(&function).await.is_empty());

    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("due")]);
    bench.pass(seconds(3)).await;
    assert!(bench.receive(&function).await.is_empty(), "once");
}

/// A time that has passed is no error.
pub async fn a_timer_for_a_time_that_has_passed_fires_at_once(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let (name, at) = (bench.unique("timer"), now(bench) - seconds(60));
    bench.ports().timers.put(&name, at, &function, &message("overdue")).await.unwrap();
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("overdue")]);
}

/// The same name again replaces time, function and message.
pub async fn the_same_name_replaces_the_timer(bench: &impl Bench) {
    let (one, other) = (bench.function("one").await, bench.function("other").await);
    let (name, start) = (bench.unique("timer"), now(bench));
    let ports = bench.ports();
    ports.timers.put(&name, start + seconds(600), &one, &message("former")).await.unwrap();
    ports.timers.put(&name, start + seconds(2), &other, &message("latter")).await.unwrap();
    drop(ports);

    assert_eq!(bench.receive_within(&other, 1, PATIENCE).await, [message("latter")]);
    assert!(bench.receive(&one).await.is_empty());
}

/// A deleted timer doesn't fire, and its name may be used again.
pub async fn a_deleted_timer_does_not_fire(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let (name, ports) = (bench.unique("timer"), bench.ports());
    ports.timers.put(&name, now(bench) + seconds(5), &function, &message("deleted")).await.unwrap();
    ports.timers.delete(&name).await.unwrap();
    let other = bench.unique("timer");
    ports.timers.put(&other, now(bench) + seconds(6), &function, &message("kept")).await.unwrap();

    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("kept")]);
}

/// Deleting what isn't there is no error.
pub async fn deleting_a_timer_that_is_not_there_is_no_error(bench: &impl Bench) {
    bench.ports().timers.delete(&bench.unique("timer")).await.unwrap();
}
