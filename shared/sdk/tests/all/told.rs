//! Words of a handler about its run: progress, log entries, and values that JSON can't say.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use dacapo::{Client, ErrorKind, Json, RunView, State, prelude::*};
use dacapo_test_kit::TestApp;

const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
const RATIO: TaskRef<f64, f64> = TaskRef::new("ratio");

async fn run_of<I, O: 'static>(function: impl Function, reference: TaskRef<I, O>, body: I) -> (TestApp, RunView) {
    let app = TestApp::new().with(function);
    app.run(reference, body).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(reference);
    (app, run)
}

#[tokio::test(start_paused = true)]
async fn last_progress_is_stored_within_a_second_while_the_handler_goes_on() {
    let (client, seen) = (Arc::new(OnceLock::<Client>::new()), Arc::new(Mutex::new(vec![])));
    let (reads, note) = (client.clone(), seen.clone());
    let app = TestApp::new().with(task(COUNT, move |n: u32, cx: TaskContext| {
        let (reads, note) = (reads.clone(), note.clone());
        async move {
            for fraction in [0.125, 0.25, 0.5] {
                cx.progress(fraction.to_string(), fraction).await?;
            }
            for _ in 0..2 {
                let run = reads.get().unwrap().state(cx.run_id()).await?;
                note.lock().unwrap().push((run.progress_message, run.progress_percent));
                tokio::time::sleep(std::time::Duration::from_millis(1_001)).await;
            }
            Ok(n)
        }
    }));
    assert!(client.set(app.client().clone()).is_ok());
    app.run(COUNT, 0).await.unwrap();
    app.run_until_idle().await;
    let told = |fraction: f64| (Some(fraction.to_string()), Some(fraction));
    assert_eq!(*seen.lock().unwrap(), [told(0.125), told(0.5)]);
}

#[tokio::test]
async fn progress_that_was_merged_is_stored_with_the_outcome() {
    let work = async |n: u32, cx: TaskContext| {
        cx.progress("a", 0.125).await?;
        cx.progress("b", 0.5).await?;
        if n == 0 { Ok(n) } else { Err(TaskError::terminal("no")) }
    };
    for n in [0, 1] {
        let (_, run) = run_of(task(COUNT, work), COUNT, n).await;
        assert_eq!((run.progress_message.as_deref(), run.progress_percent), (Some("b"), Some(0.5)), "{n}");
    }
}

#[tokio::test]
async fn progress_is_kept_as_the_fraction_that_was_told_and_shown_in_whole_percent() {
    let work = async |n: u32, cx: TaskContext| {
        cx.progress("", f64::from(n) / 100.0).await?;
        Ok(n)
    };
    for n in [0, 29, 57, 58, 100] {
        let (_, run) = run_of(task(COUNT, work), COUNT, n).await;
        assert_eq!((run.progress_percent, run.percent()), (Some(f64::from(n) / 100.0), Some(n as u8)));
    }
}

#[tokio::test]
async fn progress_out_of_range_is_clamped_and_logged_once_and_fails_no_run() {
    let fractions = [(1.5, 1.0), (-0.1, 0.0), (f64::NAN, 0.0), (f64::INFINITY, 1.0), (1e300, 1.0)];
    for (fraction, kept) in fractions {
        let work = move |n: u32, cx: TaskContext| async move {
            cx.progress("", fraction).await?;
            cx.progress("again", fraction).await?;
            Ok(n)
        };
        let (app, run) = run_of(task(COUNT, work), COUNT, 1).await;
        assert_eq!((run.state, run.progress_percent), (State::Completed, Some(kept)), "{fraction}");
        let logs = app.logs(run.id).await.unwrap();
        let told = format!("a progress of {fraction:?} counts as {kept} (allowed: 0 to 1, where 1 is all of it)");
        assert_eq!(logs.iter().map(|entry| &entry.message).collect::<Vec<_>>(), [&told]);
    }
}

#[tokio::test]
async fn text_that_a_handler_or_a_client_says_is_cut_and_tells_its_full_size() {
    fn words() -> String {
        "x".repeat(500_000)
    }
    let is_cut = |text: Option<String>| {
        let text = text.unwrap();
        assert!(text.len() <= 8_192 && text.ends_with("x … (cut: 500000 bytes)"), "{} bytes", text.len());
    };
    let work = async |n: u32, cx: TaskContext| {
        cx.progress(words(), 0.5).await?;
        Ok(Done::with_message(n, words()))
    };
    let (_, run) = run_of(task(COUNT, work), COUNT, 1).await;
    assert_eq!(run.state, State::Completed);
    is_cut(run.progress_message);
    is_cut(run.message);

    let app = TestApp::new().with(task(COUNT, work));
    let id = app.run(COUNT, 0).after(hours(1)).await.unwrap().id();
    is_cut(app.abort(id, &words()).await.unwrap().message);

    let (_, run) = run_of(task(RATIO, async |_, _: TaskContext| Ok(1.0)), COUNT_AS_TEXT, "x".repeat(100_000)).await;
    assert_eq!(run.error_code.as_deref(), Some("BODY_MISMATCH"));
    assert!(run.error_message.unwrap().len() <= 8_192);
}

/// The task `ratio`, started with a body that is none of its inputs.
const COUNT_AS_TEXT: TaskRef<String> = TaskRef::new("ratio");

#[tokio::test]
async fn log_entry_that_is_too_large_is_cut_and_tells_its_full_sizes() {
    let work = async |n: u32, cx: TaskContext| {
        let text = |bytes: usize| "x".repeat(bytes);
        cx.log_info(text(20_000), text(12_000)).await?;
        cx.log_info(text(40_000), ()).await?;
        cx.log_info("data", text(40_000)).await?;
        cx.log_error(text(9_000), text(24_000), text(100_000)).await?;
        Ok(n)
    };
    let (app, run) = run_of(task(COUNT, work), COUNT, 1).await;
    assert_eq!(run.state, State::Completed);
    let told = app.logs(run.id).await.unwrap().into_iter().map(|entry| {
        let data = entry.data.map_or_else(String::new, |data| data.text().to_owned());
        assert!(entry.message.len() + data.len() + entry.error.map_or(0, |error| error.len()) <= 32_768);
        let end =
            |text: &str| text.chars().rev().take_while(|c| *c != '…').collect::<Vec<_>>().into_iter().rev().collect();
        (end(&entry.message), data)
    });
    let told: Vec<(String, String)> = told.collect();
    assert_eq!((told[0].0.len(), told[0].1.len()), (20_000, 12_002));
    assert_eq!(told[1], (" (cut: 40000 bytes)".to_owned(), String::new()));
    assert_eq!(told[2], ("data".to_owned(), r#""left out: 40002 bytes (an entry keeps 32768)""#.to_owned()));
    assert_eq!(told[3].0, " (cut: 9000 bytes)");
    assert_eq!(told[3].1, r#""left out: 24002 bytes (an entry keeps 32768)""#);
}

#[tokio::test]
async fn iteration_keeps_at_most_1000_entries_over_its_attempts_and_says_so_once() {
    let tries = Arc::new(AtomicU32::new(0));
    let work = move |n: u32, cx: TaskContext| {
        let attempt = tries.fetch_add(1, Ordering::Relaxed);
        async move {
            for _ in 0..700 {
                cx.log_info("x", ()).await?;
            }
            match attempt {
                0 | 1 => Err(TaskError::retryable("no")),
                2 => Ok(Continue(n)),
                _ => Ok(Done(n)),
            }
        }
    };
    let function = task(COUNT, work).on_complete(async |_, cx| Ok(cx.log_info("after", ()).await?));
    let (app, run) = run_of(function, COUNT, 0).await;
    assert_eq!((run.state, run.iteration), (State::Completed, 2));
    let logs = app.logs(run.id).await.unwrap();
    let kept = |iteration, attempt| logs.iter().filter(|e| (e.iteration, e.attempt) == (iteration, attempt)).count();
    assert_eq!([kept(1, 1), kept(1, 2), kept(1, 3), kept(2, 1)], [700, 301, 0, 701]);
    let full: Vec<_> = logs.iter().filter(|entry| entry.message != "x").map(|entry| entry.message.as_str()).collect();
    assert_eq!(full, ["an iteration keeps 1000 log entries: later ones of this one are left out", "after"]);
}

#[tokio::test]
async fn continue_with_an_input_that_cant_be_read_back_fails_the_run_at_once() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Lopsided {
        #[serde(skip_serializing)]
        seen: u32,
    }
    const LOPSIDED: TaskRef<Lopsided> = TaskRef::new("lopsided");
    let app = TestApp::new().with(task(LOPSIDED, async |it: Lopsided, _: TaskContext| {
        Ok(if it.seen == 0 { Continue(Lopsided { seen: 1 }) } else { Done(()) })
    }));
    app.run_by_name("lopsided", Json::from_text(r#"{"seen":0}"#).unwrap()).await.unwrap();
    app.advance(seconds(30)).await;
    let run = app.run_of(LOPSIDED);
    let why = "the input of `continue` can't be read back: at .: missing field `seen` at line 1 column 2";
    assert_eq!((run.state, run.error_message.as_deref()), (State::Failed, Some(why)));
}

#[tokio::test]
async fn task_without_input_starts_with_nothing() {
    const TICK: TaskRef<()> = TaskRef::new("tick");
    let app = TestApp::new().with(task(TICK, async |(): (), _: TaskContext| Ok(())));
    for body in [Json::default(), Json::from_text("null").unwrap()] {
        app.run_by_name("tick", body).await.unwrap();
    }
    app.run(TICK, ()).await.unwrap();
    app.run_by_name("tick", Json::from_text("[1]").unwrap()).await.unwrap();
    app.run_until_idle().await;
    let states: Vec<State> = app.runs_of(TICK).into_iter().map(|run| run.state).collect();
    assert_eq!(states.iter().filter(|state| **state == State::Completed).count(), 3);
    assert_eq!(states.iter().filter(|state| **state == State::Failed).count(), 1, "[1] is something");
}

#[tokio::test]
async fn replay_of_a_private_task_with_another_body_is_refused() {
    let app = TestApp::new().with(task(COUNT, async |n: u32, _: TaskContext| Ok(n)).private());
    let id = app.run(COUNT, 1).await.unwrap().id();
    app.run_until_idle().await;
    let error = app.replay(id, Some(Json::of(&666).unwrap())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().ends_with("task \"count\" is private (replay it as it was)"), "{error}");
    app.replay(id, None).await.unwrap();
    app.replay(id, Some(Json::of(&1).unwrap())).await.unwrap();
    assert_eq!(app.runs_of(COUNT).len(), 3);
}
