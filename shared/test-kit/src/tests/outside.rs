//! Messages that come from outside into the conductor's queue.

use dacapo_domain::{Outside, Sent};

use super::*;

async fn takes(app: &TestApp, text: &str, is_dead: bool) -> Result<(), String> {
    let sent = Sent { id: "059f36b4-87a3-44ab-83d2-661975830a7d", at: app.now() };
    let read = Outside::read(text, sent).ok_or("it is none from outside")?;
    let conductor = Conductor::new(ports(app).clone(), None);
    conductor.take_from_outside(text, read, is_dead).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn message_that_names_a_task_makes_one_run_however_often_it_is_received() -> Tested {
    let app = TestApp::new().with(task(GREET, greet));
    for _ in 0..2 {
        takes(&app, r#"{"task": "greet", "body": "Ada"}"#, false).await?;
    }
    app.run_until_idle().await;
    let run = app.run_of(GREET);
    assert_eq!((run.state, run.trigger), (State::Completed, Trigger::Direct));
    Ok(())
}

#[tokio::test]
async fn message_that_names_an_event_is_published_to_all_that_subscribe() -> Tested {
    let calls = Calls::default();
    let app = TestApp::new().with(counting(&calls));
    takes(&app, r#"{"event": "user.joined", "body": "ada"}"#, false).await?;
    let envelope = r#"{"id": "7", "detail-type": "user.joined", "time": "2020-01-01T00:00:00Z", "detail": "grace"}"#;
    takes(&app, envelope, false).await?;
    takes(&app, r#"{"event": "nobody.listens"}"#, false).await?;
    app.run_until_idle().await;
    assert_eq!(calls.so_far(), 2);
    Ok(())
}

#[tokio::test]
async fn message_from_outside_that_can_not_be_used_is_kept_in_the_dead_letter_queue() -> Tested {
    let hidden = || task(REPORT, async |_: String, _: TaskContext| Ok(())).private();
    for (text, why) in [
        (r#"{"task": "greeet"}"#, r#"no task is named "greeet" (there are: greet, report)"#),
        (r#"{"task": "report"}"#, r#"task "report" is private"#),
        (r#"{"event": "task.started:greet"}"#, "task.started:greet"),
    ] {
        let app = TestApp::new().with(task(GREET, greet)).with(hidden());
        takes(&app, text, false).await?;
        let [dead] = &app.database.receive("undelivered", 10).await?[..] else { panic!("{text}: no dead letter") };
        assert_eq!(dead.text, text);
        let error = takes(&app, text, true).await.unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    Ok(())
}
