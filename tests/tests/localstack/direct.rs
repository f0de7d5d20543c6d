//! Runs that are started past the client: in the console, or with the AWS command line.

use app::{IMPORT_AIRPORTS, Import, Imported};
use aws_sdk_sfn::types::ExecutionStatus;
use chaos::{CHAOS, Chaos, Mischief, Told};
use dacapo::{Id, State, Trigger};
use serde::Deserialize;

use crate::app::{App, body, eventually, result};

#[derive(Debug, Deserialize)]
struct Answer {
    id: Id,
    state: State,
    result: Option<Told>,
    error: Option<serde_json::Value>,
}

#[tokio::test]
async fn a_direct_lambda_invoke_makes_a_record_and_answers_with_the_result() {
    let app = App::deployed().await;

    let answer: Answer = app.invoke("chaos", "{}").await.parse().unwrap();

    assert_eq!((answer.state, answer.result), (State::Completed, Some(Told { iteration: 1, attempt: 1 })));
    let record = app.client.state(answer.id).await.unwrap();
    assert_eq!((record.name.as_str(), record.state, record.trigger), (CHAOS.name(), State::Completed, Trigger::Direct));
}

#[tokio::test]
async fn a_direct_lambda_invoke_that_fails_says_so_and_is_tried_again_by_the_queue() {
    let app = App::deployed().await;
    let fails_once = Chaos { attempts: vec![Mischief::Fail], ..Chaos::default() };

    let answer: Answer = app.invoke("chaos", body(&fails_once).text()).await.parse().unwrap();

    assert_eq!(answer.error.unwrap()["code"], "TOLD");
    let record = app.ended(answer.id).await;
    assert_eq!(result::<Told>(&record), Told { iteration: 1, attempt: 2 });
}

#[tokio::test]
async fn a_direct_start_of_the_state_machine_makes_a_record_and_ends_with_it() {
    let app = App::deployed().await;
    let import = Import { rows_per_page: 4_000, pause_s: 1, ..Import::default() };
    let input = serde_json::json!({ "task": IMPORT_AIRPORTS.name(), "body": import }).to_string();

    let execution = start(&app, &input).await;

    let (status, output) = ended(&app, &execution).await;
    assert_eq!(status, ExecutionStatus::Succeeded, "{output}");
    let output: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(output["state"], "completed");
    let record = app.client.state(output["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    assert_eq!(result::<Imported>(&record).rows, 7_884);
    assert_eq!((record.trigger, record.iteration), (Trigger::Direct, 2));
}

#[tokio::test]
async fn a_direct_start_without_a_body_gives_an_empty_one() {
    let app = App::deployed().await;
    let execution = start(&app, r#"{"task":"chaos"}"#).await;
    let (status, output) = ended(&app, &execution).await;
    assert_eq!(status, ExecutionStatus::Succeeded, "{output}");
}

#[tokio::test]
async fn direct_start_that_is_refused_says_why_in_the_execution() {
    let app = App::deployed().await;
    let refused = [
        (r#"{"task":"import-airprots"}"#, r#"no task is named \"import-airprots\""#),
        (r#"{"task":"nightly-report"}"#, r#"task \"nightly-report\" is private"#),
        (r#"{"body":{}}"#, "The input names no task"),
    ];
    for (input, why) in refused {
        let execution = start(&app, input).await;
        let (status, said) = ended(&app, &execution).await;
        assert_eq!(status, ExecutionStatus::Failed, "{input}: {said}");
        assert!(said.contains(why) || said.contains(&why.replace('\\', "")), "{input}: {said}");
    }
}

async fn start(app: &App, input: &str) -> String {
    let start = app.sfn.start_execution().state_machine_arn(app.state_machine().await).input(input);
    start.send().await.unwrap().execution_arn
}

/// The end of an execution, with its output or its cause.
async fn ended(app: &App, execution: &str) -> (ExecutionStatus, String) {
    eventually("the execution has ended", || async {
        let reply = app.sfn.describe_execution().execution_arn(execution).send().await.unwrap();
        let said = reply.output().or(reply.cause()).unwrap_or_default().to_owned();
        match reply.status() {
            ExecutionStatus::Running => Err(format!("{reply:?}")),
            status => Ok((status.clone(), said)),
        }
    })
    .await
}
