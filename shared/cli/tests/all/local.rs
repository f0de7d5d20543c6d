//! Commands against a dev engine.

use crate::engine::Engine;
use dacapo_domain::{Secret, TokenText};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn id(document: &Value) -> String {
    document["id"].as_str().unwrap().to_owned()
}

#[test]
fn run_that_is_due_later_is_shown_rescheduled_aborted_and_replayed() {
    let engine = Engine::start();
    let started = engine
        .said("run import-airports --local --when '2 days' --body '{\"rows\":10}' --tag a --tag b --json")
        .answer();
    let id = id(&started);
    assert_eq!(started, json!({"id": id, "deduplicated": false}));

    let run = engine.said(&format!("--local --json state {id}")).json();
    assert_eq!(
        (&run["name"], &run["state"], &run["trigger"]),
        (&json!("import-airports"), &json!("scheduled"), &json!("run"))
    );
    assert_eq!((&run["body"], &run["tags"], &run["attempt"]), (&json!({"rows": 10}), &json!(["a", "b"]), &json!(1)));
    for field in
        "id name state body input createdAt scheduledAt dueAt submittedAt startedAt completedAt failedAt abortedAt \
                  expiredAt progressMessage progressPercent errorMessage errorStack errorCode result expiresAtS attempt \
                  iteration parentId tags trigger output metadata steps"
            .split_whitespace()
    {
        assert!(run.get(field).is_some(), "no {field} in {run}");
    }

    let moved = engine.said(&format!("reschedule {id} '3 days' --local --json")).json();
    assert!(moved["dueAt"].as_str() > run["dueAt"].as_str(), "{moved}");
    let aborted = engine.said(&format!("abort {id} --message enough --local --json")).json();
    assert_eq!((&aborted["state"], &aborted["message"]), (&json!("aborted"), &json!("enough")));

    let again = engine.said(&format!("abort {id} --local"));
    assert!(again.code == 1 && again.err.contains(&format!("failed to abort run {id}: it is aborted")), "{again}");
    let waited = engine.said(&format!("wait {id} --local"));
    assert!(
        waited.code == 1 && waited.err.contains("aborted: enough"),
        "a run that didn't complete is no success: {waited}"
    );
    let waited = engine.said(&format!("wait {id} --local --json"));
    let record: Value = serde_json::from_str(&waited.out).unwrap();
    assert_eq!((waited.code, &record["state"]), (1, &json!("aborted")), "{waited}");

    let logs = engine.said(&format!("logs {id} --local --json")).json();
    assert_eq!(logs, json!({"logs": []}));
    let replayed = engine.said(&format!("replay {id} --local --body '{{\"rows\":3}}' --json")).json();
    let run = engine.said(&format!("state {} --local --json", self::id(&replayed))).json();
    assert_eq!((&run["trigger"], &run["body"]), (&json!("replay"), &json!({"rows": 3})));
}

#[test]
fn run_with_a_known_key_is_the_first_one_with_its_body_from_standard_input() {
    let engine = Engine::start();
    let line = "run import-airports --local --when '1 day' --key monday --body - --json";
    let first = engine.call(line).hears("{\"rows\": 1}").said().json();
    let second = engine.call(line).hears("{\"rows\": 2}").said().answer();
    assert_eq!(second, json!({"id": first["id"], "deduplicated": true}));
    let run = engine.said(&format!("state {} --local --json", id(&first))).json();
    assert_eq!(run["body"], json!({"rows": 1}));
}

#[test]
fn runs_beyond_the_limit_are_listed_on_the_next_page() {
    let engine = Engine::start();
    let ids: Vec<String> =
        (0..3).map(|_| id(&engine.said("run import-airports --local --when '1 day' --json").json())).collect();
    let of = |page: &Value| -> Vec<String> { page["runs"].as_array().unwrap().iter().map(id).collect() };

    let first = engine.said("list --local --json --task import-airports --state scheduled --limit 2").json();
    let cursor = first["cursor"].as_str().unwrap();
    let second = engine
        .said(&format!("list --local --json --task import-airports --state scheduled --limit 2 --cursor '{cursor}'"))
        .json();
    let mut listed = [of(&first), of(&second)].concat();
    assert!(listed.is_sorted_by(|newer, older| newer > older), "{listed:?}");
    listed.sort();
    assert_eq!((listed, &second["cursor"]), (ids, &Value::Null));

    let none = engine.said("list --local --state completed");
    assert_snapshot!(none, @r"
    no runs
    of sample, on the engine at http://engine
    exit 0
    ");
    let table = engine.said("list --local --limit 1").out;
    assert!(
        table.starts_with("ID ")
            && table.contains("import-airports  scheduled")
            && table.contains("more with --cursor"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'), "no colours where the output is no terminal");
}

#[test]
fn calls_of_a_debounce_are_one_run_that_has_the_last_body() {
    let engine = Engine::start();
    let call = |body: &str| format!("run import-airports --local --debounce a --delay '1 hour' --body {body}");
    let first = engine.said(&call("1"));
    assert!(first.out.contains(" is due in "), "{first}");
    let second = engine.said(&call("2"));
    assert!(second.out.contains("stands for this call: an earlier one made it"), "{second}");
    let again = engine.said(&format!("{} --json", call("3"))).json();
    assert_eq!(again["deduplicated"], true);
    let run = engine.said(&format!("state {} --local --json", again["id"].as_str().unwrap())).json();
    assert_eq!((&run["body"], &run["state"]), (&Value::from(3), &Value::from("scheduled")));
    let short = engine.said(&format!("{} --max-delay '1 minute'", call("4")));
    let text = "debounce a run with a `max_delay` of 60s (allowed: its delay, 3600s, or longer, to 355 days)";
    assert!(short.code == 2 && short.err.contains(text), "{short}");
    let leading = engine.said("run import-airports --local --debounce a --delay '1 hour' --leading");
    assert!(leading.out.ends_with(" started\n"), "{leading}");
}

#[test]
fn name_or_id_that_is_unknown_is_not_found_and_the_error_says_what_there_is() {
    let engine = Engine::start();
    assert_snapshot!(engine.said("run import-airport --local"), @r#"
    error: failed to find a task named "import-airport" (did you mean "import-airports"?)
    exit 3
    "#);
    assert_snapshot!(engine.said("list --task zebra --local"), @r#"
    error: failed to find a task named "zebra" (there are: import-airports, nightly-report, resize-images)
    exit 3
    "#);
    assert_snapshot!(engine.said("state 01KDVJ29Q0Q0B9FME0N1VT25N3 --local"), @r"
    error: failed to find run 01KDVJ29Q0Q0B9FME0N1VT25N3 (a finished run is kept for its task's `history`, 14 days by default)
    next: dacapo list --local
    exit 3
    ");
    assert_snapshot!(engine.said("schedules pause weekly --local"), @r#"
    error: failed to find a schedule named "weekly" (there are: nightly-report-1)
    exit 3
    "#);
    let logs = engine.said("logs 01KDVJ29Q0Q0B9FME0N1VT25N3 --local");
    assert_eq!(logs.code, 3, "{logs}");
}

#[test]
fn operation_that_is_impossible_is_refused_with_the_reason() {
    let engine = Engine::start();
    assert_snapshot!(engine.said("run nightly-report --local"), @r#"
    error: failed to start task "nightly-report" by name: it is private (start it by its reference, in the app's own code)
    exit 1
    "#);
    let large = format!("\"{}\"", "x".repeat(1_048_575));
    let said = engine.call("run import-airports --local --body -").hears(&large).said();
    assert!(said.code == 2 && said.err.contains("allowed: 1048576"), "{}", said.err);
    assert_snapshot!(engine.said("run import-airports --local --when '1 day 2 hours'"), @r#"
    error: failed to use "1 day 2 hours" as a time: it has more than one number and unit; allowed is one (write "26 hours")
    exit 2
    "#);
    assert_snapshot!(engine.said("publish user.joined --local --when '90 sec'"), @r#"
    error: failed to use "90 sec" as a time: "sec" is not a unit; allowed are second, minute, hour, day, week, month and year, singular or plural (write "90 seconds")
    exit 2
    "#);
    assert_eq!(engine.said("list --local --json").json()["runs"], json!([]), "nothing was started");
    let run = engine.said("run import-airports --local --when '2 days' --json").json();
    let moved = engine.said(&format!("reschedule {} --local '-1 hour'", run["id"].as_str().unwrap()));
    assert_snapshot!(moved, @r#"
    error: failed to use "-1 hour" as a time: it is negative; allowed is later than now
    exit 2
    "#);
}

#[test]
fn event_with_a_subscriber_is_published_under_its_id() {
    let engine = Engine::start();
    let said = engine
        .said("publish user.joined --local --when '1 day' --body '{\"email\":\"ada@example.org\"}' --json")
        .json();
    assert_eq!(said["subscribers"], 1);
    let one = engine.said("publish user.joined --local --when '1 day' --id welcome-7 --json").json();
    let two = engine.said("publish user.joined --local --when '1 day' --id welcome-7 --json").json();
    assert_eq!(one["id"], two["id"], "the same id names the same event");
}

#[test]
fn event_without_a_subscriber_is_published_and_that_is_said() {
    let engine = Engine::start();
    let said = engine.said("publish user.joind --local --id 7");
    assert_eq!(said.code, 0);
    assert!(
        said.out
            .ends_with(" published; no function subscribes to \"user.joind\" now (did you mean \"user.joined\"?)\n"),
        "{said}"
    );
    assert_eq!(engine.said("publish user.joind --local --json").json()["subscribers"], 0);
}

#[test]
fn schedule_made_at_run_time_is_listed_and_deleted_and_a_declared_one_paused_and_resumed() {
    let engine = Engine::start();
    let made = engine.said("schedules put first import-airports --cron '0 0 1 1 ? *' --timezone Asia/Tokyo --body '[1]' --local --json").json();
    assert_eq!((&made["name"], &made["body"], &made["declared"]), (&json!("first"), &json!([1]), &json!(false)));
    assert!(made["next"][0].as_str().unwrap().ends_with("-12-31T15:00:00Z"), "{made}");

    let list = engine.said("schedules list --local --json").json();
    let names: Vec<&str> =
        list["schedules"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["first", "nightly-report-1"]);

    assert_eq!(engine.said("schedules pause nightly-report-1 --local --json").json()["paused"], true);
    assert!(engine.said("schedules list --local").out.contains("paused"));
    assert_eq!(engine.said("schedules resume nightly-report-1 --local --json").json()["paused"], false);
    let upcoming = engine.said("schedules upcoming nightly-report-1 --next 3 --local --json").json();
    assert_eq!(upcoming["next"].as_array().unwrap().len(), 3);

    assert_eq!(engine.said("schedules delete first --local --json").answer(), json!({"deleted": "first"}));
    assert_eq!(engine.said("schedules get first --local").code, 3);
    let declared = engine.said("schedules delete nightly-report-1 --local");
    assert!(declared.code == 1 && declared.err.contains("declared in code"), "{declared}");
    let refused = engine.said("schedules put s import-airports --every '90 sec' --local");
    assert!(refused.code == 2 && refused.err.starts_with("error: failed to read \"90 sec\""), "{refused}");
}

#[test]
fn manifest_of_a_running_app_lists_tasks_schedules_and_events() {
    let engine = Engine::start();
    assert_snapshot!(engine.said("manifest --local"), @r"
    app sample
    HOLDS     NAME              CRATE            TIMEOUT  MEMORY  OPTIONS
    task      import-airports   import-airports  30 s     256 MB
    task      nightly-report    nightly-report   30 s     256 MB  private
    schedule  nightly-report-1                                    cron 0 6 1 JAN ? * in Europe/Berlin
    task      resize-images     resize-images    30 s     256 MB  concurrency(2), queue images
    event     user.joined       user-joined      5 s      256 MB  user_joined::greet, 3 attempts
    exit 0
    ");
    assert_eq!(engine.said("manifest --local --json").json()["app"], "sample");
}

#[test]
fn token_is_completed_once_and_what_is_none_is_told_so() {
    let engine = Engine::start();
    let run = id(&engine.said("run import-airports --local --when '2 days' --json").json());
    let token = engine.token_of(&run);
    let said = engine.said(&format!("complete {token} '{{\"granted\":true}}' --local --json")).json();
    assert_eq!(said, json!({"run": run, "token": "approve"}));

    let again = engine.said(&format!("complete {token} 2 --local"));
    let problem = format!("error: failed to complete token \"approve\" of run {run}: it was completed at ");
    assert!(again.code == 1 && again.err.starts_with(&problem), "{again}");
    let text = TokenText { secret: Secret::new(8), ..token.parse().unwrap() };
    let other = engine.said(&format!("complete {text} 2 --local"));
    assert!(other.code == 3 && other.err.starts_with("error: failed to find the token"), "{other}");
    assert_snapshot!(engine.said("complete approve true --local"), @"
    error: failed to read the token of 7 bytes (take its whole text as `cx.token` gave it: A-Z, a-z, 0-9, - and _)
    exit 2
    ");
    assert_snapshot!(engine.said(&format!("complete {token} granted --local")), @r#"
    error: the value is not JSON: expected value at line 1 column 1 (quote it for the shell: '{"a": 1}')
    exit 2
    "#);
}

#[test]
fn run_is_paused_and_resumed_and_one_that_is_over_is_refused() {
    let engine = Engine::start();
    let run = id(&engine.said("run import-airports --local --when '2 days' --json").json());
    assert_eq!(engine.said(&format!("pause {run} --local --json")).json()["state"], "paused");
    assert_eq!(engine.said(&format!("pause {run} --local")).out, format!("run {run} is paused\n"));
    assert_eq!(engine.said("list --state paused --local --json").json()["runs"][0]["id"], run);
    assert_eq!(engine.said(&format!("resume {run} --local")).out, format!("run {run} is scheduled\n"));
    let again = engine.said(&format!("resume {run} --local"));
    assert!(again.code == 1 && again.err.contains("it is scheduled, and not paused"), "{again}");
    engine.said(&format!("abort {run} --local"));
    let over = engine.said(&format!("pause {run} --local"));
    assert!(over.code == 1 && over.err.contains(&format!("failed to pause run {run}: it is aborted")), "{over}");
}

/// The engine's answer to a request, status and body.
fn posted(engine: &Engine, path: &str, body: &str) -> (String, String) {
    use std::io::{Read, Write};
    let host = engine.address().trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}", body.len());
    write!(stream, "{head}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

#[test]
fn token_is_completed_at_the_address_of_the_dev_engine() {
    let engine = Engine::start();
    let run = id(&engine.said("run import-airports --local --when '2 days' --json").json());
    let path = format!("/token/{}", engine.token_of(&run));
    let expected = format!("{{\"run\":\"{run}\",\"token\":\"approve\"}}");
    assert_eq!(posted(&engine, &path, "{\"granted\":true}"), ("200".to_owned(), expected));
    assert_eq!(posted(&engine, &path, "{\"granted\":true}").0, "409");
    assert_eq!(posted(&engine, "/token/approve", "").0, "404");
}
