//! Messages that vanish.

use app::{SEND_WELCOME, Welcome};
use dacapo::{State, seconds};

use crate::app::{App, eventually};

#[tokio::test]
async fn a_run_whose_message_was_lost_is_sent_again_by_the_conductor() {
    let app = App::deployed().await;
    let welcome = Welcome { email: "lost@example.org".to_owned() };
    // Long enough that the message is still held back when it gets lost, on a busy machine too.
    let id = app.client.run(SEND_WELCOME, welcome).after(seconds(30)).await.unwrap().id();
    eventually("the message is in the queue", || async {
        let backlog = app.backlog("send-welcome").await;
        if backlog.delayed > 0 { Ok(()) } else { Err(format!("{backlog:?}")) }
    })
    .await;

    app.sqs.purge_queue().queue_url(app.queue("send-welcome").await).send().await.unwrap();
    assert_eq!(app.client.state(id).await.unwrap().state, State::Scheduled, "it came before it could get lost");

    let record = app.ended(id).await;
    assert_eq!((record.state, record.attempt), (State::Completed, 1), "{record:#?}");
    assert!(record.started_at >= Some(record.due_at), "{record:#?}");
}
