//! Values that can't travel: not to JSON, or not back from it. Each door says so, with the reason of the value's own type.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use dacapo::{Definition, ErrorKind, State, prelude::*};
use dacapo_test_kit::TestApp;
use serde::{Deserialize, Serialize};

/// JSON's keys are texts.
type Grid = BTreeMap<(u8, u8), u8>;
const NO_KEY: &str = "key must be a string";

fn grid() -> Grid {
    Grid::from([((1, 2), 3)])
}

/// A value whose JSON can't be read back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Lopsided {
    #[serde(skip_serializing)]
    seen: u32,
}
const NOT_BACK: &str = "at .: missing field `seen` at line 1 column 2";

const DRAW: TaskRef<Grid, Grid> = TaskRef::new("draw");
const SHOW: TaskRef<u32, Lopsided> = TaskRef::new("show");
const TRY: TaskRef<BTreeMap<String, u32>, String> = TaskRef::new("try");
const DRAWN: EventRef<Grid> = EventRef::new("drawn");

async fn show(_: u32, _: TaskContext) -> Result<Lopsided, TaskError> {
    Ok(Lopsided::default())
}

/// The errors that a handler is told, and the app afterwards.
async fn told<W>(handler: impl Fn(TaskContext) -> W + Send + Sync + 'static) -> (Vec<String>, TestApp)
where
    W: Future<Output = Vec<Result<(), TaskError>>> + Send + 'static,
{
    let (kept, handler) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(handler));
    let keep = kept.clone();
    let tries = move |_: BTreeMap<String, u32>, cx: TaskContext| {
        let (keep, handler) = (keep.clone(), handler.clone());
        async move {
            let told = handler(cx).await.into_iter().map(|told| told.unwrap_err().to_string());
            keep.lock().unwrap().extend(told);
            Ok(String::new())
        }
    };
    let app = TestApp::new().with(task(TRY, tries)).with(task(SHOW, show));
    app.run(TRY, BTreeMap::from([("a".to_owned(), 1)])).await.unwrap();
    app.run_until_idle().await;
    assert_eq!((app.run_of(TRY).state, app.run_of(TRY).attempt), (State::Completed, 1), "{:#?}", app.run_of(TRY));
    let kept = std::mem::take(&mut *kept.lock().unwrap());
    (kept, app)
}

#[tokio::test]
async fn value_that_cant_be_serialized_is_a_usage_error_of_a_client_and_starts_nothing() {
    let app = TestApp::new().with(task(DRAW, async |grid: Grid, _: TaskContext| Ok(grid)));
    let batch = app.client().batch(DRAW, [grid(), Grid::new()]).await.unwrap();
    assert!(batch[1].is_ok(), "its neighbour in a batch is started");
    let told = [
        app.run(DRAW, grid()).await.map(drop),
        batch.into_iter().next().unwrap().map(drop),
        app.schedules().put("s", DRAW, every("1 hour"), grid()).await.map(drop),
        app.publish(DRAWN, grid()).await.map(drop),
    ];
    for told in told {
        let error = told.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().ends_with(NO_KEY), "{error}");
    }
    assert_eq!(app.runs_of(DRAW).len(), 1);
    assert!(app.schedules().list().await.unwrap().is_empty());
    let declared = task(DRAW, async |grid: Grid, _: TaskContext| Ok(grid)).schedule(every("1 hour"), grid());
    let problems = Definition::of(declared).describe("draw").unwrap_err();
    assert!(problems.len() == 1 && problems[0].ends_with(NO_KEY), "{problems:?}");
}

#[tokio::test]
async fn value_that_cant_be_serialized_is_refused_wherever_a_handler_gives_it_away_and_its_run_goes_on() {
    let (told, app) = told(|cx| async move {
        vec![
            cx.step("grid", async || Ok(grid())).await.map(drop),
            cx.update_input(grid()).await.map_err(TaskError::from),
            cx.update_output(grid()).await.map_err(TaskError::from),
            cx.update_task(BTreeMap::from([("metadata", grid())])).await.map_err(TaskError::from),
            cx.run(DRAW, grid()).await.map(drop).map_err(TaskError::from),
            cx.publish(DRAWN, grid()).await.map(drop).map_err(TaskError::from),
        ]
    })
    .await;
    assert_eq!(told.len(), 6);
    assert!(told.iter().all(|told| told.ends_with(NO_KEY)), "{told:#?}");
    let run = app.run_of(TRY);
    assert_eq!((run.output, run.metadata, app.steps(run.id).await.unwrap().len()), (None, None, 0));
}

#[tokio::test]
async fn data_of_a_log_entry_that_cant_be_serialized_is_said_in_its_place() {
    let (_, app) = told(|cx| async move {
        cx.log_info("grid", grid()).await.unwrap();
        cx.log_info("ratio", [f64::NAN]).await.unwrap();
        cx.log_info("nothing", None::<f64>).await.unwrap();
        vec![]
    })
    .await;
    let logs = app.logs(app.run_of(TRY).id).await.unwrap();
    let data: Vec<Option<String>> = logs.into_iter().map(|entry| Some(entry.data?.parse().unwrap())).collect();
    let no_number =
        "the data can't be serialized: NaN is no JSON number (allowed: finite ones, or an Option or a text)";
    assert_eq!(data, [Some(format!("the data can't be serialized: {NO_KEY}")), Some(no_number.to_owned()), None]);
}

#[tokio::test]
async fn result_that_cant_be_serialized_is_left_out_and_an_input_of_continue_fails_its_run() {
    let draw = async |given: Grid, _: TaskContext| Ok(if given.is_empty() { Done(grid()) } else { Continue(grid()) });
    let app = TestApp::new().with(task(DRAW, draw));
    let done = app.run(DRAW, Grid::new()).await.unwrap();
    app.run_until_idle().await;
    let run = app.state(done.id()).await.unwrap();
    assert_eq!((run.state, run.result), (State::Completed, None));
    assert!(run.result_left_out.unwrap().ends_with(NO_KEY));
    let error = app.wait(DRAW, &done).await.unwrap_err().to_string();
    assert!(error.ends_with(NO_KEY), "{error}");

    let app = TestApp::new()
        .with(task(DRAW, async |_: Grid, _: TaskContext| Ok::<Outcome<Grid, Grid>, TaskError>(Continue(grid()))));
    app.run(DRAW, Grid::new()).await.unwrap();
    app.run_until_idle().await;
    let run = app.run_of(DRAW);
    assert_eq!(
        (run.state, run.attempt, run.error_message),
        (State::Failed, 1, Some(format!("the input of `continue` can't be serialized: {NO_KEY}")))
    );
}

#[tokio::test]
async fn step_whose_value_cant_be_read_back_is_refused_before_a_retry_meets_it() {
    let (told, app) =
        told(|cx| async move { vec![cx.step("show", async || Ok(Lopsided::default())).await.map(drop)] }).await;
    assert_eq!(told, [format!("the value of step \"show\" can't be read back: {NOT_BACK}")]);
    assert!(app.steps(app.run_of(TRY).id).await.unwrap().is_empty());
}

#[tokio::test]
async fn result_that_is_read_as_what_it_is_not_names_its_run_and_the_type() {
    const AS_TEXT: TaskRef<u32, String> = TaskRef::new("show");
    let app = TestApp::new().with(task(SHOW, show));
    let started = app.run(SHOW, 1).await.unwrap();
    let as_text = app.run(AS_TEXT, 1).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.state(started.id()).await.unwrap().result.unwrap().text(), "{}", "others read it as JSON");
    let error = app.wait(SHOW, &started).await.unwrap_err().to_string();
    assert_eq!(error, format!("the result of run {} is no all::values::Lopsided: {NOT_BACK}", started.id()));
    let error = app.wait(AS_TEXT, &as_text).await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("the result of run {} is no alloc::string::String: at .: ", as_text.id())),
        "{error}"
    );
}

#[tokio::test]
async fn result_of_a_child_that_is_of_another_type_is_that_childs_failure_and_the_next_is_read() {
    const SUM: TaskRef<u32, usize> = TaskRef::new("sum");
    let sum = async |step: u32, cx: TaskContext| {
        if step == 0 {
            let children = cx.batch(SHOW, [1, 2]).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
            return Ok::<Outcome<u32, usize>, TaskError>(Continue::when_done(children, 1));
        }
        let (mut children, mut failed) = (cx.children(SHOW).await?, 0);
        while let Some(child) = children.next().await? {
            assert_eq!(child.state, State::Completed);
            assert!(child.result.unwrap_err().to_string().contains(&child.id.to_string()));
            failed += 1;
        }
        Ok(Done(failed))
    };
    let app = TestApp::new().with(task(SUM, sum)).with(task(SHOW, show));
    let started = app.run(SUM, 0).await.unwrap();
    app.run_until_idle().await;
    assert_eq!(app.wait(SUM, &started).await.unwrap(), 2);
}

#[tokio::test]
async fn stored_data_that_is_read_as_what_it_is_not_says_which_and_the_type() {
    let (told, _) = told(|cx| async move {
        cx.update_output(BTreeMap::from([("b", "two")])).await.unwrap();
        vec![cx.get_input::<u32>().await.map(drop), cx.get_output::<BTreeMap<String, bool>>().await.map(drop)]
    })
    .await;
    assert_eq!(told[0], "the input is no u32: at .: invalid type: map, expected u32 at line 1 column 0");
    assert!(
        told[1].contains("the output is no ") && told[1].contains(": at b: invalid type: string \"two\""),
        "{told:?}"
    );
}
