//! The outbox's messages: at least once, in any order, not before the delay is over.

use std::time::Duration;

use dacapo_core::port::PortErrorKind;
use dacapo_domain::{Effect, EventMessage, Message, RunMessage, RunRecord, seconds};

use super::{
    Bench,
    fixture::{PATIENCE, json, large, message, new_run, now, post, send},
};

/// An event with this body.
fn event(bench: &impl Bench, body: dacapo_domain::Json) -> EventMessage {
    let event = EventMessage::at(bench.ports().clock.new_id(), "user-joined", body, now(bench));
    EventMessage { function: "greet".to_owned(), ..event }
}

fn delayed(function: &str, text: &str, delay: Duration) -> Effect {
    Effect::Send { to: function.to_owned(), message: message(text).to_json(), delay }
}

/// A message arrives as it was sent, with every character.
pub async fn message_arrives_as_it_was_sent(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let run = RunRecord::create(new_run(bench, "task"), &bench.ports().clock.decision_context()).record;
    let messages = [
        Message::Run(RunMessage::about(&run)),
        Message::Event(event(bench, json("\"\u{1F600} \u{FFFE} \u{FFFF} \\u0000\""))),
        message("ä < > & \" ' \\ <aws.scheduler.scheduled-time>"),
    ];
    for message in &messages {
        post(bench, &Effect::send(&function, message)).await;
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
pub async fn largest_message_fits(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let event = Message::Event(event(bench, large('x', 1_048_000)));
    post(bench, &Effect::send(&function, &event)).await;
    assert!(bench.receive_within(&function, 1, PATIENCE).await == [event]);
}

/// Functions get what is theirs.
pub async fn message_arrives_at_its_function_alone(bench: &impl Bench) {
    let (one, other) = (bench.function("one").await, bench.function("other").await);
    post(bench, &send(&one, "for one")).await;
    assert_eq!(bench.receive_within(&one, 1, PATIENCE).await, [message("for one")]);
    assert!(bench.receive(&other).await.is_empty());
}

/// A message that is held back arrives after its delay and not before.
pub async fn delayed_message_arrives_after_its_delay(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let start = now(bench);
    post(bench, &delayed(&function, "later", seconds(5))).await;
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("later")]);
    assert!(now(bench) >= start + seconds(5));
}

/// A delay is rounded up to whole seconds.
pub async fn delay_of_a_part_of_a_second_is_a_second(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let start = now(bench);
    post(bench, &delayed(&function, "later", Duration::from_millis(10))).await;
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("later")]);
    assert!(now(bench) >= start + seconds(1));
}

/// A quarter of an hour is the longest delay.
pub async fn delay_of_more_than_a_quarter_of_an_hour_is_refused(bench: &impl Bench) {
    let function = bench.function("greet").await;
    post(bench, &delayed(&function, "later", seconds(900))).await;
    let error = bench.ports().outbox.post(&delayed(&function, "too late", seconds(901))).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::Refused, "{error}");
}

/// A function that isn't deployed gets no message, and has no backlog to ask for.
pub async fn function_without_a_queue_is_not_deployed(bench: &impl Bench) {
    let (ports, function) = (bench.ports(), bench.unique("none"));
    let error = ports.outbox.post(&send(&function, "lost")).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::NotDeployed, "{error}");
    let error = ports.probe.has_backlog(&function).await.unwrap_err();
    assert_eq!(error.kind(), PortErrorKind::NotDeployed, "{error}");
}

/// A visible message is a backlog; one that is held back, or was acknowledged, is none.
pub async fn backlog_is_what_is_visible(bench: &impl Bench) {
    let function = bench.function("greet").await;
    assert!(!has_backlog(bench, &function, false).await, "nothing was sent");

    post(bench, &delayed(&function, "later", seconds(600))).await;
    assert!(!has_backlog(bench, &function, false).await, "it is held back");

    post(bench, &send(&function, "now")).await;
    assert!(has_backlog(bench, &function, true).await);

    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("now")]);
    assert!(!has_backlog(bench, &function, false).await, "it was acknowledged");
}

/// The service's counts lag behind: asked again until they say what is expected.
async fn has_backlog(bench: &impl Bench, function: &str, expected: bool) -> bool {
    for _ in 0..10 {
        if bench.ports().probe.has_backlog(function).await.expect("queues can be asked") == expected {
            return expected;
        }
        bench.pass(seconds(1)).await;
    }
    !expected
}

/// A dead letter is kept in the function's own dead-letter queue, where it has one.
pub async fn dead_letter_of_a_function_with_a_queue_for_it_is_kept_there(bench: &impl Bench) {
    let function = bench.function_with_dlq("greet").await;
    post(bench, &Effect::DeadLetter { function: function.clone(), text: "not even JSON".to_owned() }).await;
    bench.reopen().await;
    assert_eq!(bench.function_dlq(&function).await, ["not even JSON"]);
    assert!(bench.receive(&function).await.is_empty());
}

/// Else in the app's.
pub async fn dead_letter_of_a_function_without_one_is_kept_in_the_apps(bench: &impl Bench) {
    let function = bench.function("greet").await;
    let text = bench.unique("a dead letter");
    post(bench, &Effect::DeadLetter { function, text: text.clone() }).await;
    assert!(bench.app_dlq().await.contains(&text));
}
