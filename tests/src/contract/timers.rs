//! The outbox's one-time schedules: a message at a time, or up to a minute after it.

use dacapo_domain::{Effect, seconds};
use jiff::Timestamp;

use super::{
    Bench,
    fixture::{PATIENCE, message, now, post},
};

async fn set(bench: &impl Bench, timer: &str, at: Timestamp, function: &str, text: &str) {
    let (timer, to, message) = (timer.to_owned(), function.to_owned(), message(text).to_json());
    post(bench, &Effect::SendAt { timer, to, message, at }).await;
}

async fn cancel(bench: &impl Bench, timer: &str) {
    post(bench, &Effect::CancelTimer { timer: timer.to_owned() }).await;
}

/// Nothing before its time, the message after it, and once.
pub async fn timer_sends_its_message_at_its_time_once(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let due = now(bench) + seconds(5);
    set(bench, &bench.unique("timer"), due, &function, "due").await;
    bench.reopen().await;

    bench.pass(seconds(1)).await;
    let mut came = bench.receive(&function).await;
    assert!(came.is_empty() || now(bench) >= due, "it came early");

    came.extend(bench.receive_within(&function, 1 - came.len(), PATIENCE).await);
    assert_eq!(came, [message("due")]);
    bench.pass(seconds(3)).await;
    assert!(bench.receive(&function).await.is_empty(), "once");
}

/// A time that has passed is no error.
pub async fn timer_for_a_time_that_has_passed_fires_at_once(bench: &impl Bench) {
    let function = bench.function("greet").await;
    set(bench, &bench.unique("timer"), now(bench) - seconds(60), &function, "overdue").await;
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("overdue")]);
}

/// The same name again replaces time, function and message.
pub async fn timer_of_the_same_name_replaces_the_former(bench: &impl Bench) {
    let (one, other) = (bench.function("one").await, bench.function("other").await);
    let (timer, start) = (bench.unique("timer"), now(bench));
    set(bench, &timer, start + seconds(600), &one, "former").await;
    set(bench, &timer, start + seconds(2), &other, "latter").await;

    assert_eq!(bench.receive_within(&other, 1, PATIENCE).await, [message("latter")]);
    assert!(bench.receive(&one).await.is_empty());
}

/// A cancelled timer doesn't fire, and its name may be used again.
pub async fn cancelled_timer_does_not_fire(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let [timer, other] = ["timer", "timer"].map(|name| bench.unique(name));
    set(bench, &timer, now(bench) + seconds(5), &function, "cancelled").await;
    cancel(bench, &timer).await;
    set(bench, &other, now(bench) + seconds(6), &function, "kept").await;
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("kept")]);

    set(bench, &timer, now(bench) + seconds(1), &function, "again").await;
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("again")]);
}

/// Cancelling what isn't there is no error.
pub async fn cancel_of_a_timer_that_is_not_there_is_no_error(bench: &impl Bench) {
    cancel(bench, &bench.unique("timer")).await;
}
