//! Starts and events by programs that know nothing of Dacapo: a message in the conductor's queue, and EventBridge.

use chaos::{CHAOS, Chaos, Told};
use dacapo::{RunView, State, Timestamp, Trigger};
use flaky::{THING, Thing};
use serde_json::json;

use crate::app::{App, eventually, result};

/// The seconds for which a queue holds a message back.
const DELAY_S: i32 = 3;

/// A thing that no other test and no earlier run of this one has.
fn thing(what: &str) -> Thing {
    Thing { name: format!("{what} {}", Timestamp::now().as_nanosecond()), failures: 0 }
}

#[tokio::test]
async fn message_with_a_task_in_the_conductors_queue_is_a_run() {
    let app = App::deployed().await;
    // It never pauses: the number tells its body from others.
    let chaos = Chaos { pause_s: Timestamp::now().as_millisecond().unsigned_abs(), ..Chaos::default() };

    let sent = Timestamp::now();
    app.sends(&json!({ "task": CHAOS.name(), "body": chaos }).to_string(), DELAY_S).await;

    let run = eventually("the run is there", || async {
        let runs = app.runs(CHAOS.name()).await;
        let is_it =
            |run: &RunView| run.body.as_ref().is_some_and(|body| body.parse::<Chaos>().is_ok_and(|it| it == chaos));
        runs.into_iter().find(is_it).ok_or_else(|| "no run".to_owned())
    })
    .await;
    let record = app.ended(run.id).await;
    assert_eq!((record.state, record.trigger), (State::Completed, Trigger::Direct));
    assert!(record.created_at.duration_since(sent).as_secs() >= DELAY_S.into(), "sent at {sent}: {record:#?}");
    assert_eq!(result::<Told>(&record), Told { iteration: 1, attempt: 1 });
}

#[tokio::test]
async fn message_with_an_event_in_the_conductors_queue_is_handled_by_its_subscribers() {
    let app = App::deployed().await;
    let thing = thing("sent");

    app.sends(&json!({ "event": THING.name(), "body": thing }).to_string(), 0).await;

    app.call_for(&thing).await;
}

#[tokio::test]
async fn event_that_a_rule_of_eventbridge_hands_on_is_an_event_of_the_app() {
    let app = App::deployed().await;
    for detail_type in [&*THING.name(), "Thing Happened"] {
        let thing = thing(detail_type);
        app.lambda.put_event("of.others", detail_type, &json!(thing).to_string()).await.unwrap();
        app.call_for(&thing).await;
    }
}

impl App {
    /// Puts a message into the conductor's queue, as `aws sqs send-message` does.
    async fn sends(&self, text: &str, delay_s: i32) {
        let send = self.sqs.send_message().queue_url(self.queue("conductor").await).message_body(text);
        send.delay_seconds(delay_s).send().await.unwrap();
    }
}
