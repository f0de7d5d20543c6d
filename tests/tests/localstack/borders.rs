//! The mishaps at the borders between processes: one line that says what and what to do, the next command where there is one,
//! a documented exit code.

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::OnceLock,
};

use aws_sdk_sfn::types::ExecutionStatus;
use dacapo::{Id, Json, State};
use dacapo_tests::localstack::forget_the_test;
use serde::Deserialize;

use crate::app::{App, eventually};

const NOT_FOUND: i32 = 3;
const NO_ACCESS: i32 = 4;

#[tokio::test]
async fn a_stack_that_is_not_deployed_is_named_with_the_command_that_deploys_it() {
    let app = App::deployed().await;
    let output = dacapo(&["list", "--stage", "absent"], &app.localstack.endpoint, Some("test"));
    assert_one_line(&output, NOT_FOUND, &["no stack sample-absent", "make deploy APP=sample STAGE=absent"]);
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_named() {
    let output = dacapo(&["list", "--stage", "dev"], "http://127.0.0.1:9", Some("test"));
    assert_one_line(&output, NO_ACCESS, &["can't reach http://127.0.0.1:9", "is it running?"]);
}

#[tokio::test]
async fn missing_credentials_are_said_with_the_variables_that_give_them() {
    let output = dacapo(&["list", "--stage", "dev"], "http://127.0.0.1:9", None);
    assert_one_line(&output, NO_ACCESS, &["no AWS credentials", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"]);
}

#[tokio::test]
async fn name_that_the_deployed_app_does_not_know_is_not_found_and_the_error_says_what_was_meant() {
    let app = App::deployed().await;
    let prefix = ["--stage", &app.localstack.stage];
    let run = |arguments: &[&str]| dacapo(&[arguments, &prefix].concat(), &app.localstack.endpoint, Some("test"));

    assert_one_line(&run(&["run", "import-airprots"]), NOT_FOUND, &["import-airprots", "import-airports"]);
    assert_one_line(
        &run(&["state", "01KDW28FR0PHTWHA1GN83GZ2QM"]),
        NOT_FOUND,
        &["failed to find run 01KDW28FR0PHTWHA1GN83GZ2QM"],
    );
    assert_one_line(&run(&["run", "chaos", "--body", "{"]), 2, &["body"]);
    assert_one_line(&run(&["run", "nightly-report"]), 1, &["private"]);
}

#[tokio::test]
async fn run_waited_for_by_the_command_line_ends_it_with_the_runs_exit_code() {
    let app = App::deployed().await;
    let stage = &app.localstack.stage;
    let body = r#"{"rows_per_page":4000,"pause_s":1}"#;
    let run = ["--json", "run", "import-airports", "--wait", "--body", body, "--stage", stage];
    let output = dacapo(&run, &app.localstack.endpoint, Some("test"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    let run = ["run", "chaos", "--wait", "--body", r#"{"attempts":["fail","fail","fail"]}"#, "--stage", stage];
    let output = dacapo(&run, &app.localstack.endpoint, Some("test"));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("TOLD"), "{output:?}");
}

#[tokio::test]
async fn each_service_is_asked_at_the_endpoint_of_its_own_variable() {
    let app = App::deployed().await;
    let run = |arguments: &[&str]| {
        let stage = ["--json", "--stage", &app.localstack.stage];
        let mut command = command(&[arguments, &stage].concat());
        // What is asked of no service's own endpoint goes nowhere.
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        for service in ["DYNAMODB", "SQS", "SCHEDULER", "SFN"] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), &app.localstack.endpoint);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        let said = Json::from_text(String::from_utf8(output.stdout).unwrap()).unwrap();
        said.parse::<Said>().unwrap().id
    };

    run(&["run", "chaos", "--body", "{}", "--wait"]);
    let later = run(&["run", "chaos", "--body", "{}", "--when", "1 hour"]);
    assert!(app.schedule(&format!("run-{later}")).await.is_some());
    run(&["abort", &later.to_string()]);

    let waiting = run(&["run", "chaos", "--body", r#"{"continues":1,"pause_s":3600}"#]);
    app.is(waiting, State::Waiting).await;
    let execution = app.execution(waiting, 1).await;
    run(&["abort", &waiting.to_string()]);
    eventually("the execution is stopped", || async {
        let reply = app.sfn.describe_execution().execution_arn(&execution).send().await.unwrap();
        if reply.status() == &ExecutionStatus::Aborted { Ok(()) } else { Err(format!("{reply:?}")) }
    })
    .await;
}

/// The part of the command line's answers that names a run.
#[derive(Deserialize)]
struct Said {
    id: Id,
}

/// The command line, with an endpoint for all services.
fn dacapo(arguments: &[&str], endpoint: &str, key: Option<&str>) -> Output {
    let mut command = command(arguments);
    command.env("AWS_ENDPOINT_URL", endpoint);
    if let Some(key) = key {
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", key);
    }
    command.output().unwrap()
}

/// The command line, in an environment of its own.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).env_clear().env("HOME", "/nowhere").current_dir(std::env::temp_dir());
    command.env("DACAPO_APP", "sample").env("AWS_REGION", "eu-west-1").env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// The path of the command line. Cargo builds it for its own package's tests alone.
pub fn program() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let build = ["build", "--quiet", "--package", "dacapo-cli", "--bin", "dacapo"];
            let status = forget_the_test(&mut Command::new(env!("CARGO"))).args(build).status().unwrap();
            assert!(status.success(), "dacapo can't be built");
            PathBuf::from(env!("CARGO_BIN_EXE_dacapo-localstack")).with_file_name("dacapo")
        })
        .clone()
}

fn assert_one_line(output: &Output, code: i32, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let (error, next) = said.trim_end().split_once('\n').unwrap_or((said.trim_end(), "next: "));
    assert!(error.starts_with("error: ") && next.starts_with("next: ") && !next.contains('\n'), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}
