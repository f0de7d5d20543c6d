//! Values that could change on their way, and input that could stop the product: letters that a queue refuses, numbers of
//! many digits, times beyond the calendar, texts without end.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use dacapo::{ErrorKind, Json, ListFilter, LogEntry, RunView, State, prelude::*};
use dacapo_test_kit::TestApp;
use jiff::Timestamp;

const ECHO: TaskRef<String, String> = TaskRef::new("echo");
const RAW: TaskRef<Json, Json> = TaskRef::new("raw");
const COUNT: TaskRef<u32, u32> = TaskRef::new("count");
const SAID: EventRef<String> = EventRef::new("said");

/// Letters that SQS, XML or a terminal take amiss.
const ODD: &str =
    "\u{0}\u{1}\u{b}\u{1b}[31m\u{7f}\u{85}\u{200d}\u{202e}\u{2028}\u{fffd}\u{fffe}\u{ffff}😀\u{10ffff}\"\\/";

#[tokio::test]
async fn odd_letters_come_through_everywhere_as_they_were() {
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let hears = heard.clone();
    let echo = async |given: String, cx: TaskContext| {
        if cx.iteration() == 1 {
            cx.log_info(ODD, ODD).await?;
            cx.progress(ODD, 0.5).await?;
            cx.update_output(BTreeMap::from([(ODD, ODD)])).await?;
            cx.update_task(BTreeMap::from([("metadata", BTreeMap::from([(ODD, ODD)]))])).await?;
            cx.publish(SAID, given.clone()).id(ODD).await?;
            let kept = cx.step(ODD, async || Ok(given.clone())).await?;
            let token = cx.token(ODD).await?;
            return Ok(Continue::when_told(token, kept));
        }
        match cx.told::<String>(ODD).await? {
            Some(Told::Value(told)) if told == given => Ok(Done::with_message(told, ODD)),
            other => Err(TaskError::terminal(format!("{other:?}"))),
        }
    };
    let said = on(SAID, move |body: String, _: EventContext| {
        hears.lock().unwrap().push(body);
        async { Ok(()) }
    });
    let app = TestApp::new().with(task(ECHO, echo)).with(said);
    let id = app.run(ECHO, ODD.to_owned()).key(ODD).tags([ODD]).await.unwrap().id();
    assert!(app.run(ECHO, String::new()).key(ODD).await.unwrap().is_deduplicated());
    app.advance(seconds(5)).await;
    app.complete(app.token_of(id, ODD), ODD.to_owned()).await.unwrap();
    app.run_until_idle().await;

    let run = app.run_of(ECHO);
    let text = |json: Option<Json>| json.unwrap().parse::<String>().unwrap();
    let map = |json: Option<Json>| json.unwrap().parse::<BTreeMap<String, String>>().unwrap();
    assert_eq!(run.state, State::Completed, "{run:#?}");
    assert_eq!((run.tags.as_slice(), run.message.as_deref()), (&[ODD.to_owned()][..], Some(ODD)));
    assert_eq!((text(run.result), run.progress_message.as_deref()), (ODD.to_owned(), Some(ODD)));
    let odd = BTreeMap::from([(ODD.to_owned(), ODD.to_owned())]);
    assert_eq!((map(run.output), map(run.metadata)), (odd.clone(), odd));
    let logs: Vec<LogEntry> = app.logs(run.id).await.unwrap();
    assert_eq!((logs[0].message.as_str(), text(logs[0].data.clone())), (ODD, ODD.to_owned()));
    assert_eq!(heard.lock().unwrap().as_slice(), [ODD]);
    let tagged = app.list(ListFilter { tag: Some(ODD.to_owned()), ..ListFilter::default() }).await.unwrap();
    assert_eq!(tagged.runs.len(), 1);
}

#[tokio::test]
async fn odd_letters_of_a_failure_and_of_an_abort_come_through_as_they_were() {
    let app = TestApp::new().with(task(
        COUNT,
        async |n: u32, _: TaskContext| {
            if n == 0 { Ok(0) } else { Err(TaskError::terminal(ODD).code(ODD)) }
        },
    ));
    let failed = app.run(COUNT, 1).await.unwrap().id();
    let aborted = app.run(COUNT, 0).after(hours(1)).await.unwrap().id();
    app.abort(aborted, ODD).await.unwrap();
    app.run_until_idle().await;
    let run = app.state(failed).await.unwrap();
    assert_eq!((run.error_message.as_deref(), run.error_code.as_deref()), (Some(ODD), Some(ODD)));
    assert_eq!(app.state(aborted).await.unwrap().message.as_deref(), Some(ODD));
}

#[tokio::test]
async fn numbers_keep_their_text_through_steps_tokens_merges_and_iterations() {
    const NUMBERS: &str =
        r#"{"a":1.10,"b":1000000000000000000000000000001,"c":1e2,"d":-0.0,"e":0.1000000000000000055511}"#;
    let raw = async |given: Json, cx: TaskContext| {
        if cx.iteration() == 1 {
            cx.update_output(&given).await?;
            cx.update_task(BTreeMap::from([("metadata", &given)])).await?;
            let kept: Json = cx.step("kept", async || Ok(given.clone())).await?;
            return Ok(Continue::when_told(cx.token("word").await?, kept));
        }
        match cx.told::<Json>("word").await? {
            Some(Told::Value(told)) if told == given => Ok(Done(told)),
            other => Err(TaskError::terminal(format!("{other:?} is not {given:?}"))),
        }
    };
    let app = TestApp::new().with(task(RAW, raw));
    let id = app.run(RAW, Json::from_text(NUMBERS).unwrap()).await.unwrap().id();
    app.advance(seconds(5)).await;
    app.complete(app.token_of(id, "word"), Json::from_text(NUMBERS).unwrap()).await.unwrap();
    app.run_until_idle().await;
    let run: RunView = app.run_of(RAW);
    assert_eq!(run.state, State::Completed, "{run:#?}");
    for told in [run.body, run.result, run.output, run.metadata] {
        assert_eq!(told.unwrap().text(), NUMBERS);
    }
}

#[tokio::test]
async fn run_that_is_due_at_a_part_of_a_millisecond_starts_no_part_of_it_early() {
    let called = Arc::<Mutex<Vec<Timestamp>>>::default();
    let note = called.clone();
    let app = TestApp::new().with(task(COUNT, move |n: u32, cx: TaskContext| {
        note.lock().unwrap().push(cx.time());
        async move { Ok(n) }
    }));
    for delay in [Duration::from_nanos(1), Duration::new(5, 1), Duration::new(3_600, 999_999_999)] {
        let due = app.now() + delay;
        app.run(COUNT, 0).at(due).await.unwrap();
        app.run_until_idle().await;
        let time = called.lock().unwrap().pop().unwrap();
        assert!(time >= due, "{time} is before {due}");
    }
}

#[tokio::test]
async fn times_beyond_the_calendar_are_refused_or_bounded_and_stop_nothing() {
    let far = [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH];
    for (place, time) in far.into_iter().enumerate() {
        let app = TestApp::new().with(
            task(COUNT, move |n: u32, _: TaskContext| async move {
                match n {
                    0 => Err(TaskError::retryable("later").retry_at(time)),
                    1 => Ok(Continue::at(time, 1)),
                    _ => Ok(Done(n)),
                }
            })
            .retry(Retry::attempts(2)),
        );
        for n in [0, 1, 2] {
            app.run(COUNT, n).await.unwrap();
        }
        for given in [app.run(COUNT, 3).at(time).await.err(), app.publish(SAID, String::new()).at(time).await.err()] {
            assert_eq!(given.map(|error| error.kind()), Some(ErrorKind::Usage), "{time}");
        }
        app.advance(minutes(5)).await;
        let states: Vec<State> = app.runs_of(COUNT).iter().map(|run| run.state).collect();
        assert!(
            states[0].is_final() || states[0] == State::Scheduled || states[0] == State::Submitted,
            "{place}: {states:?}"
        );
        assert_eq!(states[1..], [State::Failed, State::Completed], "{time}");
    }
}

#[tokio::test]
async fn cursor_name_or_id_that_is_anything_at_all_is_refused_in_a_few_words() {
    let app = TestApp::new().with(task(ECHO, async |given: String, _: TaskContext| Ok(given)));
    let long = "x".repeat(1 << 20);
    for given in [ODD, "", "2.list.", "2.list.\u{0}", "2.list.AAAA", "9.list.x", &long] {
        let filter = ListFilter { cursor: Some(given.to_owned()), ..ListFilter::default() };
        let told = [
            app.list(filter).await.map(drop).map_err(|error| error.to_string()),
            app.schedules().get(given).await.map(drop).map_err(|error| error.to_string()),
            app.client().queues().pause(given).await.map(drop).map_err(|error| error.to_string()),
            app.client().deliveries().get(given).await.map(drop).map_err(|error| error.to_string()),
            app.client().complete(given, 1_u32).await.map(drop).map_err(|error| error.to_string()),
            given.parse::<dacapo::Id>().map(drop).map_err(|error| error.to_string()),
        ];
        for (place, told) in told.into_iter().enumerate() {
            let error = told.unwrap_err();
            assert!(error.len() < 2_000, "{place}, {} bytes: {} bytes", given.len(), error.len());
        }
    }
}
