//! The mishaps at the borders between processes: one line that says what and what to do, a documented exit code.

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::OnceLock,
};

use dacapo_tests::localstack::forget_the_test;

use crate::app::App;

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

/// The command line, in an environment of its own.
fn dacapo(arguments: &[&str], endpoint: &str, key: Option<&str>) -> Output {
    let nowhere = tempfile::tempdir().unwrap();
    let mut command = Command::new(program());
    command.args(arguments).env_clear().env("HOME", nowhere.path()).current_dir(nowhere.path());
    command.env("DACAPO_APP", "sample").env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "eu-west-1");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    if let Some(key) = key {
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", key);
    }
    command.output().unwrap()
}

/// The path of the command line. Cargo builds it for its own package's tests alone.
fn program() -> PathBuf {
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
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}
