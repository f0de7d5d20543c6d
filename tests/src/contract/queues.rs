//! Queues: at least once, in any order, not before the delay is over.

use std::time::Duration;

use dacapo::port::{Envelope, PortErrorKind};
use dacapo_domain::{Message, RunMessage, seconds};

use super::{
    Bench,
    fixture::{PATIENCE, event, message, new_run},
};

async fn send(bench: &impl Bench, function: &str, message: Message, delay: Duration) {
    bench.ports().queues.send(function, &Envelope { message, delay }).await.expect("messages can be sent");
}

/// What was sent arrives as it was, with every character.
pub async fn a_message_arrives_as_it_was_sent(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let run = new_run(bench, "task");
    let messages = [
        Message::Run(RunMessage::about(&run)),
        Message::Event(event(bench, "\"\u{1F600} \u{FFFE} \u{FFFF} \\u0000\"")),
        message("ä < > & \" ' \\ <aws.scheduler.scheduled-time>"),
    ];
    for message in &messages {
        send(bench, &function, message.clone(), Duration::ZERO).await;
    }
    bench.reopen().await;

    let received = bench.receive_within(&function, 3, PATIENCE).await;

    for message in &messages {
        // U+FFFE and U+FFFF travel escaped.
        let arrived = received.iter().any(|received| received.to_text() == message.to_text());
        assert!(arrived || matches!(message, Message::Event(_)), "{message:?} is not in {received:?}");
    }
    let bodies = received.iter().filter_map(|message| match message {
        Message::Event(event) => event.body.parse::<String>().ok(),
        _ => None,
    });
    assert_eq!(bodies.collect::<Vec<_>>(), ["\u{1F600} \u{FFFE} \u{FFFF} \0"]);
}

/// The largest event fits.
pub async fn the_largest_message_fits(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let event = event(bench, &format!("\"{}\"", "x".repeat(261_000)));
    send(bench, &function, Message::Event(event.clone()), Duration::ZERO).await;
    let received = bench.receive_within(&function, 1, PATIENCE).await;
    assert!(received == [Message::Event(event)]);
}

/// Functions get what is theirs.
pub async fn a_message_arrives_at_its_function_alone(bench: &impl Bench) {
    let (one, other) = (bench.function("one").await, bench.function("other").await);
    send(bench, &one, message("for one"), Duration::ZERO).await;
    assert_eq!(bench.receive_within(&one, 1, PATIENCE).await, [message("for one")]);
    assert!(bench.receive(&other).await.is_empty());
}

/// A message that is held back arrives after its delay and not before.
pub async fn a_delayed_message_arrives_after_its_delay(bench: &impl Bench) {
    let function = bench.function("greet").await;
    send(bench, &function, message("later"), seconds(5)).await;

    assert!(bench.receive(&function).await.is_empty());
    bench.pass(seconds(1)).await;
    assert!(bench.receive(&function).await.is_empty());

    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("later")]);
}

/// A quarter of an hour is the longest delay.
pub async fn the_longest_delay_is_a_quarter_of_an_hour(bench: &impl Bench) {
    let function = bench.function("greet").await;
    send(bench, &function, message("later"), seconds(900)).await;
    let envelope = Envelope { message: message("too late"), delay: seconds(901) };
    let error = bench.ports().queues.send(&function, &envelope).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Refused, "{error}");
}

/// Nobody can send to a function that isn't deployed, or ask after its backlog.
pub async fn a_function_without_a_queue_is_not_deployed(bench: &impl Bench) {
    let (ports, function) = (bench.ports(), bench.unique("nobody"));
    let envelope = Envelope { message: message("lost"), delay: Duration::ZERO };
    let error = ports.queues.send(&function, &envelope).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::NotDeployed, "{error}");
    let error = ports.queues.has_backlog(&function).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::NotDeployed, "{error}");
}

/// What is visible is a backlog; what is held back, or was acknowledged, is none.
pub async fn a_backlog_is_what_is_visible(bench: &impl Bench) {
    let function = bench.function("greet").await;
    assert!(!has_backlog(bench, &function, false).await, "nothing was sent");

    send(bench, &function, message("later"), seconds(600)).await;
    assert!(!has_backlog(bench, &function, false).await, "it is held back");

    send(bench, &function, message("now"), Duration::ZERO).await;
    assert!(has_backlog(bench, &function, true).await);

    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("now")]);
    assert!(!has_backlog(bench, &function, false).await, "it was acknowledged");
}

/// The service's counts lag behind: asked again until they say what is expected.
async fn has_backlog(bench: &impl Bench, function: &str, expected: bool) -> bool {
    for _ in 0..10 {
        if bench.ports().queues.has_backlog(function).await.expect("queues can be asked") == expected {
            return expected;
        }
        bench.pass(seconds(1)).await;
    }
    !expected
}

/// A dead letter is kept in the function's own dead-letter queue, where it has one.
pub async fn a_dead_letter_is_kept_in_its_functions_own_queue(bench: &impl Bench) {
    let function = bench.function_with_dead_letters("greet").await;
    bench.ports().queues.dead_letter(&function, "not even JSON").await.unwrap();
    bench.reopen().await;
    assert_eq!(bench.dead_letters(&function).await, ["not even JSON"]);
    assert!(bench.receive(&function).await.is_empty());
}

/// Else in the app's.
pub async fn a_dead_letter_without_a_queue_of_its_own_is_kept_in_the_apps(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let text = bench.unique("a dead letter");
    bench.ports().queues.dead_letter(&function, &text).await.unwrap();
    assert!(bench.undelivered().await.contains(&text));
}
