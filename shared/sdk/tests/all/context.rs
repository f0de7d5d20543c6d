//! The context: what a handler is told, and what it may ask.

use std::sync::atomic::{AtomicU32, Ordering};

use dacapo::{State, Trigger, prelude::*};
use dacapo_test_kit::TestApp;
use serde_json::{Value, json};

const TELL: TaskRef<u32, Value> = TaskRef::new("tell");

#[tokio::test]
async fn a_handler_is_told_what_it_belongs_to() {
    async fn tell(input: u32, cx: TaskContext) -> Result<Outcome<u32, Value>, TaskError> {
        if input == 1 {
            return Ok(Continue::after(minutes(1), 2));
        }
        assert!(cx.remaining() > seconds(20) && !cx.is_close_to_timeout());
        assert!(cx.is_close_to_timeout_within(minutes(1)));
        assert!(!cx.is_aborted().await?);
        Ok(Done(json!({
            "target": cx.target(),
            "body": cx.body::<u32>()?,
            "input": input,
            "iteration": cx.iteration(),
            "attempt": cx.attempt(),
            "tags": cx.tags(),
            "trigger": cx.trigger(),
            "parent": cx.parent(),
            "delay_ms": cx.delay().as_millis() as u64,
        })))
    }

    let app = TestApp::new().with(task(TELL, tell));
    app.run(TELL, 1).tags(["red"]).await.unwrap();
    app.run_until_idle().await;
    let told: Value = app.run_of(TELL).result.unwrap().parse().unwrap();
    let expected = json!({
        "target": "task:tell", "body": 1, "input": 2, "iteration": 2, "attempt": 1,
        "tags": ["red"], "trigger": Trigger::Run, "parent": null, "delay_ms": 0,
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn progress_and_logs_are_kept_with_the_run() {
    async fn work(_: u32, cx: TaskContext) -> Result<Value, TaskError> {
        cx.progress("half of it", 0.5).await?;
        cx.log_info("begun", json!({ "page": 1 })).await?;
        cx.log_error("odd", (), std::io::Error::other("no such page")).await?;
        Ok(Value::Null)
    }

    let app = TestApp::new().with(task(TELL, work));
    let id = app.run(TELL, 1).await.unwrap().id();
    app.run_until_idle().await;
    let record = app.run_of(TELL);
    assert_eq!((record.progress_message.as_deref(), record.progress_percent), (Some("half of it"), Some(0.5)));
    let logs = app.logs(id).await.unwrap();
    assert_eq!((logs[0].message.as_str(), logs[0].data.as_ref().unwrap().text()), ("begun", r#"{"page":1}"#));
    assert_eq!(logs[1].data, None);
    assert_eq!(logs[1].error.as_ref().unwrap().lines().next(), Some("no such page"));
}

#[tokio::test]
async fn a_block_is_retried_in_place() {
    static TRIES: AtomicU32 = AtomicU32::new(0);
    async fn work(limit: u32, cx: TaskContext) -> Result<Value, TaskError> {
        TRIES.store(0, Ordering::Relaxed);
        let policy = Retry::attempts(3).min(seconds(0));
        let answer = cx
            .retry(policy, async || match TRIES.fetch_add(1, Ordering::Relaxed) + 1 {
                tries if tries == limit => Ok(tries),
                2 if limit == 100 => Err(TaskError::terminal("no")),
                _ => Err("not yet".into()),
            })
            .await;
        Ok(json!({ "answer": answer.ok(), "tries": TRIES.load(Ordering::Relaxed) }))
    }

    let app = TestApp::new().with(task(TELL, work));
    for (limit, answer, tries) in [(3, Some(3), 3), (4, None, 3), (100, None, 2)] {
        app.run(TELL, limit).await.unwrap();
        app.run_until_idle().await;
        let told: Value = app.runs_of(TELL).pop().unwrap().result.unwrap().parse().unwrap();
        assert_eq!(told, json!({ "answer": answer, "tries": tries }), "{limit}");
        app.advance(seconds(1)).await;
    }
}

#[tokio::test]
async fn a_run_that_a_handler_starts_is_its_child_and_started_once() {
    const CHILD: TaskRef<u32> = TaskRef::new("child");
    async fn parent(_: u32, cx: TaskContext) -> Result<Value, TaskError> {
        cx.run(CHILD, 1).await?;
        if cx.attempt() == 1 {
            return Err("after the child was started".into());
        }
        Ok(Value::Null)
    }

    let app = TestApp::new().with(task(TELL, parent)).with(task(CHILD, async |_, _: TaskContext| Ok(())));
    let id = app.run(TELL, 1).await.unwrap().id();
    app.run_until_idle().await;
    assert_eq!((app.run_of(TELL).state, app.run_of(TELL).attempt), (State::Completed, 2));
    let child = app.run_of(CHILD);
    assert_eq!((child.parent_id, child.trigger), (Some(id), Trigger::Child));
}

#[tokio::test]
async fn an_event_handler_is_told_of_its_delivery_and_starts_runs() {
    const SEEN: EventRef<String> = EventRef::new("seen");
    async fn seen(body: String, cx: EventContext) -> Result<(), TaskError> {
        assert_eq!((cx.name(), cx.attempt(), body.as_str()), ("seen", 1, "a star"));
        assert_eq!(cx.delay(), minutes(2));
        cx.set_timeout(seconds(60))?;
        assert!(cx.set_timeout(seconds(61)).is_err() && cx.remaining() > seconds(50));
        cx.run(TELL, 5).await?;
        Ok(())
    }

    let app = TestApp::new().with(on(SEEN, seen)).with(task(TELL, async |_, _: TaskContext| Ok(Value::Null)));
    app.publish(SEEN, "a star".to_owned()).after(minutes(2)).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.run_of(TELL).trigger, Trigger::Event);
}
