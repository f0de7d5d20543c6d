//! `list` with what it may be narrowed by.

use crate::engine::Engine;
use insta::assert_snapshot;
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<&str> {
    page["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect()
}

#[test]
fn runs_are_listed_by_tag_parent_schedule_and_state() {
    let engine = Engine::start();
    let tagged = engine.later("--tag yearly --tag 'open data'");
    let replay = engine.said(&format!("replay {tagged} --local --json")).json();
    let replay = replay["id"].as_str().unwrap();
    engine.said(&format!("abort {replay} --local"));
    let fired = engine.fires("weekly", "import-airports");
    let list = |options: &str| engine.said(&format!("list --local --json {options}")).json();
    assert_eq!(ids(&list("--tag 'open data'")), [&tagged]);
    assert_eq!(ids(&list("--tag open")), [""; 0]);
    assert_eq!(ids(&list(&format!("--parent {tagged}"))), [replay]);
    assert_eq!(ids(&list("--state aborted")), [replay]);
    assert_eq!(ids(&list("--tag yearly --state aborted")), [""; 0]);
    assert_eq!(ids(&list("--schedule weekly")), [&fired]);
    assert_eq!(list("--schedule weekly")["runs"][0]["trigger"], "schedule");
}

#[test]
fn runs_are_listed_by_the_time_they_were_created_at_in_every_form() {
    let engine = Engine::start();
    let run = engine.later("");
    let created = engine.said(&format!("state {run} --local --json")).json()["createdAt"].as_str().unwrap().to_owned();
    let created_ms = created.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    for (options, is_found) in [
        ("--since '1 hour'".to_owned(), true),
        ("--since 3600000".to_owned(), true),
        (format!("--since {created}"), true),
        (format!("--since {created_ms}"), true),
        (format!("--since {}", created_ms + 1), false),
        (format!("--until {created}"), false),
        ("--until 3600000".to_owned(), false),
        ("--since 2026-01-01T00:00:00Z --unfinished".to_owned(), true),
    ] {
        let page = engine.said(&format!("list --local --json {options}")).json();
        assert_eq!(ids(&page).len(), usize::from(is_found), "{options}");
    }
}

#[test]
fn next_page_of_a_list_since_a_time_ago_is_found_by_the_options_that_the_first_page_names() {
    let engine = Engine::start();
    let ids: Vec<String> = (0..2).map(|_| engine.later("")).collect();
    let first = engine.said("list --local --limit 1 --since '1 hour'");
    let more = first.out.split_once("more with ").unwrap().1.trim();
    assert!(first.out.contains(&ids[1]), "{first}");
    let second = engine.said(&format!("list --local --limit 1 {more}"));
    assert!(second.code == 0 && second.out.contains(&ids[0]), "{second}");
    let page = engine.said("list --local --json --limit 1 --since '1 hour'").json();
    let options = format!("--since {} --cursor {}", page["since"].as_str().unwrap(), page["cursor"].as_str().unwrap());
    let next = engine.said(&format!("list --local --json --limit 1 {options}")).json();
    assert_eq!(next["runs"][0]["id"], ids[0]);
}

#[test]
fn list_that_no_run_can_be_in_is_refused_with_what_is_allowed() {
    let engine = Engine::start();
    assert_snapshot!(engine.said("list --local --unfinished --state failed"), @r"
    error: failed to list unfinished runs that are failed (leave out one of both)
    exit 2
    ");
    assert_snapshot!(engine.said("list --local --since 2026-01-02T00:00:00Z --until 2026-01-01T00:00:00Z"), @r"
    error: failed to list runs since 2026-01-02T00:00:00Z until 2026-01-01T00:00:00Z (since is the earlier one)
    exit 2
    ");
    assert_snapshot!(engine.said("list --local --since yesterday"), @r#"
    error: invalid value 'yesterday' for '--since <TIME>': use "yesterday" as a time: it is neither a number and a unit nor a timestamp; allowed are a number and a unit, such as "5 minutes", a timestamp, such as "2022-01-14T17:46:05.811Z", and, as a number, milliseconds from now or since 1970

    For more information, try '--help'.
    exit 2
    "#);
    let parent = engine.said("list --local --parent 17");
    assert!(parent.code == 2 && parent.err.contains("\"17\" is not a run id (an id has 26 characters"), "{parent}");
    let said = engine.said("list --local --cursor 3.list --json");
    assert_eq!((said.code, &said.error()["error"]["kind"]), (1, &json!("failed")));
}

#[test]
fn what_names_of_an_app_lead_to_says_which_app_it_is_of() {
    let engine = Engine::start();
    let lists = ["list", "deliveries list", "dead-letters list", "queues list", "schedules list", "stats"];
    let put = "schedules put tenant-7 import-airports --every '1 day'";
    let changes = [put, "schedules pause tenant-7", "schedules delete tenant-7", "queues pause images"];
    let starts =
        ["run import-airports --when '1 day'", "publish user.joined --when '1 day'", "bulk abort --tag no --yes"];
    for line in lists.into_iter().chain(changes).chain(starts) {
        let said = engine.said(&format!("{line} --local"));
        assert_eq!(said.err, "of sample, on the engine at http://engine\n", "{line}");
        if line.contains(" delete ") {
            engine.said(&format!("{put} --local"));
        }
        let place = engine.said(&format!("{line} --local --json")).json()["place"].clone();
        assert_eq!(place, serde_json::json!({"app": "sample", "engine": engine.address()}), "{line}");
    }
}
