//! Wrong usage: one clear line, and exit code 2 before anything is done.

use crate::dacapo::{call, dacapo};
use insta::assert_snapshot;

#[test]
fn body_that_is_not_json_is_refused_with_line_and_column() {
    assert_snapshot!(dacapo("run import-airports --local --body {next_row:1}"), @r#"
    error: --body is not JSON: key must be a string at line 1 column 2 (quote it for the shell: '{"a": 1}')
    exit 2
    "#);
    assert_snapshot!(call("publish user.joined --local --body -").hears("{\n  \"email\": oops\n}").said(), @r"
    error: standard input is not JSON: expected value at line 2 column 12
    exit 2
    ");
    assert_snapshot!(call("run import-airports --local --body -").hears("").said(), @r"
    error: standard input is empty (expected one JSON value, such as '{}')
    exit 2
    ");
}

#[test]
fn body_in_a_bad_or_missing_file_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("body.json"), "[1, 2").unwrap();
    assert_snapshot!(call("run import-airports --local --body @body.json").within(folder.path()).said(), @r"
    error: body.json is not JSON: EOF while parsing a list at line 1 column 5
    exit 2
    ");
    assert_snapshot!(call("run import-airports --local --body @none.json").within(folder.path()).said(), @r"
    error: failed to read none.json: No such file or directory (os error 2)
    exit 2
    ");
}

#[test]
fn id_state_limit_or_time_that_is_invalid_is_refused_with_what_is_allowed() {
    assert_snapshot!(dacapo("state 17"), @r#"
    error: invalid value '17' for '<ID>': "17" is not a run id (an id has 26 characters of 0-9 and A-Z without I, L, O, U)

    For more information, try '--help'.
    exit 2
    "#);
    assert_snapshot!(dacapo("list --state done"), @r#"
    error: invalid value 'done' for '--state <STATE>': "done" is not a state (allowed: created, scheduled, submitted, running, waiting, paused, completed, failed, aborted, expired)

    For more information, try '--help'.
    exit 2
    "#);
    assert_snapshot!(dacapo("list --limit 1001"), @r"
    error: invalid value '1001' for '--limit <N>': 1001 is not in 1..=1000

    For more information, try '--help'.
    exit 2
    ");
    let said = dacapo("when tomorrow --from tomorrow");
    assert!(
        said.code == 2 && said.err.contains("'tomorrow' for '--from <TIME>': use \"tomorrow\" as a time"),
        "{said}"
    );
    assert!(said.err.contains("(write \"1 day\")"), "{said}");
}

#[test]
fn debounce_without_its_delay_or_beside_a_key_or_a_time_is_refused() {
    let refused = |line: &str| {
        let said = dacapo(line);
        assert_eq!((said.code, &*said.out), (2, ""), "{said}");
        said.err
    };
    assert!(refused("run a --local --debounce k").contains("--delay <DURATION>"));
    assert!(refused("run a --local --delay '1 minute'").contains("--debounce <KEY>"));
    assert!(refused("run a --local --max-delay '1 minute'").contains("--debounce <KEY>"));
    assert!(refused("run a --local --leading").contains("--debounce <KEY>"));
    for beside in ["--key k", "--when '1 minute'"] {
        let error = refused(&format!("run a --local --debounce k --delay '1 minute' {beside}"));
        assert!(error.contains("cannot be used with"), "{error}");
    }
    let time = refused("run a --local --debounce k --delay 2027-01-31T08:00:00Z");
    assert!(time.contains("(allowed: a duration, such as \"90 seconds\", or milliseconds)"), "{time}");
}

#[test]
fn durability_of_another_word_is_refused_with_the_two_that_are_allowed() {
    assert_snapshot!(dacapo("dev --durability paranoid"), @r"
    error: invalid value 'paranoid' for '--durability <WHAT>'
      [possible values: normal, full]

    For more information, try '--help'.
    exit 2
    ");
}

#[test]
fn schedule_with_no_rule_or_two_is_refused() {
    assert_eq!(dacapo("schedules put s import-airports --local").code, 2);
    assert_eq!(dacapo("schedules put s import-airports --every '1 day' --at '1 day' --local").code, 2);
}

#[test]
fn app_on_aws_that_is_unknown_or_misnamed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = call("list").within(folder.path()).said();
    assert_eq!(said.code, 2, "{said}");
    assert!(said.err.contains("no Cargo.toml with a folder functions/ beside it"), "{said}");
    assert!(said.err.contains("--app NAME"), "{said}");

    std::fs::create_dir(folder.path().join("functions")).unwrap();
    std::fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    let said = call("list").within(&folder.path().join("functions")).said();
    assert!(said.code == 2 && said.err.contains("doesn't name the app (add [workspace.metadata.dacapo]"), "{said}");

    assert_snapshot!(dacapo("list --app Shop"), @r#"
    error: app "Shop" is not 1 to 20 characters of a-z, 0-9 and single hyphens, beginning with a letter
    exit 2
    "#);
    assert_snapshot!(dacapo("--stage production-eu list --app shop"), @r#"
    error: stage "production-eu" is not 1 to 10 characters of a-z, 0-9 and single hyphens, beginning with a letter
    exit 2
    "#);
}

#[test]
fn dev_outside_a_workspace_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = call("dev").within(folder.path()).said();
    assert!(said.code == 2 && said.err.contains("(go into the app's workspace)"), "{said}");
}

#[test]
fn engine_that_does_not_answer_is_no_access_and_the_error_says_how_to_start_it() {
    assert_snapshot!(call("list --local").env("DACAPO_LOCAL", "http://127.0.0.1:9").said(), @r"
    error: can't reach the engine at http://127.0.0.1:9 (start it with `make dev` or `dacapo dev`)
    exit 4
    ");
    assert_snapshot!(call("list --local").env("DACAPO_LOCAL", "127.0.0.1:9").said(), @r#"
    error: DACAPO_LOCAL is "127.0.0.1:9" (expected such as http://127.0.0.1:8787)
    exit 2
    "#);
}

#[test]
fn completions_whose_reader_goes_away_end_well() {
    let mut script = call("completions fish").speaks();
    script.is_not_read();
    script.ends_within(std::time::Duration::from_secs(30));
    assert_eq!(script.errors(), "");
}

#[test]
fn help_version_and_completions_exit_with_0() {
    let shells = ["bash", "zsh", "fish", "powershell", "elvish"].map(|shell| format!("completions {shell}"));
    for shell in &shells {
        let script = dacapo(&format!("{shell} --json")).json();
        assert_eq!(script["script"].as_str().unwrap().trim_end(), dacapo(shell).out.trim_end(), "{shell}");
        assert!(dacapo(shell).out.contains("dead-letters"), "{shell}");
    }
    let helps = ["--help", "run --help", "schedules put --help", "--version"].map(ToOwned::to_owned);
    for line in shells.iter().chain(&helps) {
        let said = dacapo(line);
        assert!(said.code == 0 && !said.out.is_empty() && said.err.is_empty(), "{line}: {said}");
    }
    assert!(dacapo("--help").out.contains("0 done, 1 the operation failed"), "exit codes are documented");
}
