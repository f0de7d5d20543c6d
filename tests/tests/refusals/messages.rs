//! Messages in each queue: what can't be used goes to the dead-letter queue, and the log says why.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use dacapo::{Definition, prelude::*};
use dacapo_core::{conductor::Conductor, port::Ports, runner::Runner};
use dacapo_domain::{Outside, Sent, minutes};
use jiff::Timestamp;

use crate::both::{Both, PAID, REPORT, echo, heard};

/// The lines that are logged while it lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Lines that a piece of work logs, and its error.
async fn told(work: impl Future<Output = Result<(), impl ToString>>) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let error = work.await.err().map(|error| format!("left in the queue: {}", error.to_string()));
    drop(guard);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    format!("{logged}{}", error.unwrap_or_default())
}

fn function(ports: &Ports, events: bool) -> Runner {
    let definition = if events { Definition::of(on(PAID, heard)) } else { Definition::of(task(REPORT, echo)) };
    Runner::new(definition.handlers, ports.clone(), if events { "events-1" } else { "report" })
}

/// Texts that are no message of this version, and messages that this or that queue doesn't take.
const TEXTS: [(&str, &str); 17] = [
    ("no JSON", "hello"),
    ("half of an object", r#"{"run/1": {"#),
    ("null", "null"),
    ("an empty list", "[]"),
    ("an empty object", "{}"),
    ("a later version", r#"{"run/2": {}}"#),
    ("two forms at once", r#"{"fire/1": {"schedule": "s", "time": 1}, "run/1": {}}"#),
    ("a run without an id", r#"{"run/1": {}}"#),
    ("a run with an id that is none", r#"{"run/1": {"run": "17", "purpose": {}}}"#),
    ("a fire without a time", r#"{"fire/1": {"schedule": "s"}}"#),
    ("a fire at no time", r#"{"fire/1": {"schedule": "s", "time": "noon"}}"#),
    ("a delivery with attempt -1", r#"{"delivery/1": {"delivery": "d", "attempt": -1}}"#),
    ("an event without a body", r#"{"event/1": {"id": "01KDVJ29Q0Q0B9FME0N1VT25N3", "name": "order.paid"}}"#),
    ("129 levels", "DEEP"),
    ("for the conductor", r#"{"deferred/1": {"event": "e"}}"#),
    ("for a task", r#"{"fire/1": {"schedule": "s", "time": "2026-01-01T00:00:00Z"}}"#),
    ("for event handlers", r#"{"delivery/1": {"delivery": "d", "attempt": 1}}"#),
];

fn text(text: &str) -> String {
    if text == "DEEP" { "[".repeat(129) + &"]".repeat(129) } else { text.to_owned() }
}

#[tokio::test]
async fn message_that_a_function_doesn_t_take_is_told_by_both_engines_alike() {
    let mut both = Both::new().await;
    for (queue, is_of_events, own) in
        [("a task's", false, "for a task"), ("event handlers'", true, "for event handlers")]
    {
        for (given, message) in TEXTS.into_iter().filter(|(given, _)| *given != own) {
            let message = text(message);
            both.refuse_at_ports(&format!("{given} in {queue} queue"), async |ports: Ports| {
                let deadline = ports.clock.now() + minutes(1);
                told(function(&ports, is_of_events).deliver(&message, 1, deadline)).await
            })
            .await;
        }
    }
    both.are("messages");
}

/// Texts of others than Dacapo.
const OUTSIDE: [(&str, &str); 16] = [
    ("no task and no event", r#"{"body": 1}"#),
    ("a task and an event", r#"{"task": "report", "event": "order.paid"}"#),
    ("a task that isn't there", r#"{"task": "reports"}"#),
    ("a task that is private", r#"{"task": "hidden"}"#),
    ("a task without a name", r#"{"task": ""}"#),
    ("a number as a task", r#"{"task": 7}"#),
    ("an unknown field", r#"{"task": "report", "bdoy": 1}"#),
    ("a body with half a surrogate pair", r#"{"task": "report", "body": "\ud83d"}"#),
    ("a body with 1e999", r#"{"task": "report", "body": 1e999}"#),
    ("an event without a name", r#"{"event": ""}"#),
    ("a lifecycle event", r#"{"event": "task.completed:report"}"#),
    ("an event whose body has 1e999", r#"{"event": "order.paid", "body": 1e999}"#),
    ("EventBridge's envelope without a detail-type", r#"{"id": "1", "source": "aws.s3", "detail": {}}"#),
    ("EventBridge's envelope with an empty detail-type", r#"{"id": "1", "detail-type": "", "detail": {}}"#),
    ("an empty object", "{}"),
    ("no JSON", "hello"),
];

#[tokio::test]
async fn message_that_the_conductor_doesn_t_take_is_told_by_both_engines_alike() {
    let mut both = Both::new().await;
    for (given, text) in OUTSIDE.into_iter().chain(TEXTS.into_iter().filter(|(given, _)| given.starts_with("for "))) {
        if given == "for the conductor" {
            continue;
        }
        both.refuse_at_ports(&format!("{given} in the conductor's queue"), async |ports: Ports| {
            let conductor = Conductor::new(ports.clone(), None);
            let sent = Sent { id: "m", at: Timestamp::UNIX_EPOCH };
            told(async {
                match Outside::read(text, sent) {
                    Some(read) => conductor.take_from_outside(text, read, false).await,
                    None => conductor.deliver(text).await,
                }
            })
            .await
        })
        .await;
    }
    both.are("outside");
}
