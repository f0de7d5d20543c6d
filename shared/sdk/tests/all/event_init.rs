//! A handler of events has a value of its own type, as a task's handler has.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use dacapo::{DeliveryFilter, prelude::*};
use dacapo_test_kit::TestApp;

const JOINED: EventRef<String> = EventRef::new("user.joined");

/// Counts what it sends, and how many of them were made.
#[derive(Clone, Default)]
struct Mailer {
    sent: Arc<AtomicU32>,
    made: Arc<AtomicU32>,
}

async fn greet(_: String, cx: EventContext<Mailer>) -> Result<(), TaskError> {
    cx.init().sent.fetch_add(1, Relaxed);
    Ok(())
}

async fn count(_: String, _: EventContext) -> Result<(), TaskError> {
    Ok(())
}

#[tokio::test]
async fn value_is_shared_by_all_attempts_and_handlers_without_one_stand_beside() {
    let mailer = Mailer::default();
    let app = TestApp::new().with([on(JOINED, greet).value(mailer.clone()), on(JOINED, count)]);
    for email in ["ada", "bob"] {
        app.publish(JOINED, email.to_owned()).await.unwrap();
    }
    app.run_until_idle().await;
    assert_eq!(mailer.sent.load(Relaxed), 2);
}

#[tokio::test]
async fn init_makes_a_value_for_each_attempt_and_its_failure_is_the_attempts_and_is_tried_again() {
    let mailer = Mailer::default();
    let init = {
        let mailer = mailer.clone();
        move |cx: EventContext| {
            let mailer = mailer.clone();
            async move {
                assert_eq!(cx.name(), "user.joined");
                match mailer.made.fetch_add(1, Relaxed) {
                    0 => Err(TaskError::from("no connection")),
                    _ => Ok(mailer),
                }
            }
        }
    };
    let app = TestApp::new().with(on(JOINED, greet).init(init).retry(Retry::attempts(3)));
    app.publish(JOINED, "ada".to_owned()).await.unwrap();
    app.advance(seconds(0)).await;
    let failing = app.client().deliveries().list(DeliveryFilter::default()).await.unwrap().deliveries;
    assert_eq!(failing[0].error_code.as_deref(), Some("INIT_ERROR"), "{failing:#?}");

    app.run_until_idle().await;
    assert_eq!((mailer.made.load(Relaxed), mailer.sent.load(Relaxed)), (2, 1));
    app.publish(JOINED, "bob".to_owned()).await.unwrap();
    app.run_until_idle().await;
    assert_eq!((mailer.made.load(Relaxed), mailer.sent.load(Relaxed)), (3, 2), "one that worked is not kept");
}
