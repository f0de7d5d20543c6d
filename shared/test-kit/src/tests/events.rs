//! Events: tried again, late, deferred.

use super::*;

#[tokio::test]
async fn event_that_fails_is_delivered_again_six_minutes_later() -> Tested {
    let calls = Calls::default();
    let counted = calls.clone();
    let app = TestApp::new().with(on(JOINED, move |_: String, _: EventContext| {
        let call = counted.next();
        async move { if call < 3 { Err(TaskError::retryable("not yet")) } else { Ok(()) } }
    }));
    app.publish(JOINED, "ada".to_owned()).await?;

    app.advance(minutes(5)).await;
    assert_eq!(calls.so_far(), 1);
    app.advance(minutes(2)).await;
    assert_eq!(calls.so_far(), 2);
    app.run_until_idle().await;
    assert_eq!(calls.so_far(), 3);
    Ok(())
}

#[tokio::test]
async fn event_starts_a_run_five_minutes_later() -> Tested {
    let app = TestApp::new()
        .with(on(JOINED, async |name: String, cx: EventContext| {
            cx.run(GREET, name).after(minutes(5)).await?;
            Ok(())
        }))
        .with(task(GREET, greet));
    app.publish(JOINED, "Ada".to_owned()).await?;

    app.advance(minutes(4)).await;
    assert_eq!(app.run_of(GREET).state, State::Scheduled);
    app.run_until_idle().await;
    let run = app.run_of(GREET);
    assert_eq!((run.state, run.trigger), (State::Completed, Trigger::Event));
    Ok(())
}

#[tokio::test]
async fn event_due_in_a_day_is_deferred_until_then() -> Tested {
    let calls = Calls::default();
    let app = TestApp::new().with(counting(&calls));
    app.publish(JOINED, "ada".to_owned()).after(days(1)).await?;
    app.advance(hours(23)).await;
    assert_eq!(calls.so_far(), 0);
    app.advance(hours(1)).await;
    assert_eq!(calls.so_far(), 1);
    Ok(())
}

#[tokio::test]
async fn deferred_event_is_handled_although_its_schedule_could_not_send() -> Tested {
    let calls = Calls::default();
    let app = TestApp::new().with(counting(&calls));
    let id = app.publish(JOINED, "ada".to_owned()).after(days(1)).await?.id;
    let event = format!("{id}/{}", JOINED.name());
    let timer = format!("event-{:032x}", hash128(&event));
    ports(&app).outbox.post(&Effect::CancelTimer { timer }).await?;
    app.advance(days(1)).await;
    assert_eq!(calls.so_far(), 0);

    let (function, text) = (CONDUCTOR.to_owned(), Message::Deferred(DeferredMessage { event }).to_text());
    ports(&app).outbox.post(&Effect::DeadLetter { function, text }).await?;
    app.advance(Duration::ZERO).await;

    assert_eq!(calls.so_far(), 1);
    Ok(())
}
