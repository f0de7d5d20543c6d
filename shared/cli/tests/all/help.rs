//! `help`: every command described, and the examples of each called.

use std::{path::Path, time::Duration};

use crate::{dacapo::dacapo, engine::Engine};
use dacapo_domain::Retry;
use insta::assert_snapshot;
use serde_json::{Value, json};

const ID: &str = "01KDVJ29Q0Q0B9FME0N1VT25N3";
const TOKEN: &str = "AZvjQgTOKEN";

fn commands() -> Vec<Value> {
    dacapo("help --json").json()["commands"].as_array().unwrap().clone()
}

fn texts(values: &Value) -> Vec<&str> {
    values.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

#[test]
fn help_for_programs_describes_every_command_option_and_exit_code() {
    let help = dacapo("help --json").json();
    let errors: Vec<&str> =
        help["errorCodes"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(errors, ::dacapo::code::ALL);
    let codes: Vec<u64> = help["exitCodes"].as_array().unwrap().iter().map(|it| it["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4]);
    let names: Vec<&str> = help["commands"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    for name in ["run", "state", "schedules upcoming", "queues pause", "dead-letters redrive", "bulk abort", "help"] {
        assert!(names.contains(&name), "no {name} in {names:?}");
    }
    let json_option = help["options"].as_array().unwrap().iter().find(|it| it["name"] == "--json").unwrap();
    assert_eq!(json_option["value"], Value::Null);
    let run = &help["commands"][names.iter().position(|name| *name == "run").unwrap()];
    let option = |name: &str| run["options"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap().clone();
    assert_eq!(run["arguments"][0]["isRequired"], true);
    assert_eq!(option("--tag")["isRepeatable"], true);
    assert_eq!(option("--when")["aliases"], json!(["--at", "--after"]));
    for command in help["commands"].as_array().unwrap() {
        let described = command["options"].as_array().unwrap().iter().chain(command["arguments"].as_array().unwrap());
        for argument in described.chain([command]) {
            assert!(argument["about"].as_str().is_some_and(|about| about.len() > 5), "{command:#}");
        }
    }
}

#[test]
fn help_of_one_command_is_that_of_the_command_itself_and_one_of_none_is_not_found() {
    assert_eq!(dacapo("help queues pause").out.trim_end(), dacapo("queues pause --help").out.trim_end());
    assert_eq!(dacapo("help queues --json").json().as_array().unwrap().len(), 3);
    assert_snapshot!(dacapo("help queue"), @r#"
    error: there is no command or error code "queue" (did you mean "queues"?)
    exit 3
    "#);
}

#[test]
fn error_code_is_explained_in_any_case_of_its_letters_and_one_of_an_author_is_not_known() {
    let told = dacapo("help timeout");
    assert!(told.code == 0 && told.out.starts_with("`TIMEOUT`\n\nThe attempt took longer than its limit"), "{told}");
    assert_eq!(dacapo("help TIMEOUT --json").json()["code"], "TIMEOUT");
    assert_eq!(dacapo("help NO_RATE").code, 3);
}

/// The words that a text has as code.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn client_chapter_has_every_command_and_exit_code_and_no_option_that_is_none() {
    let chapter = include_str!("../../../sdk/src/guide/client.md").split_once("# The command line").unwrap().1;
    let rows: Vec<Vec<&str>> = chapter
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split('|').collect())
        .collect();
    let codes: Vec<u8> = rows.iter().filter_map(|row| row[0].trim().parse().ok()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4]);
    for row in rows.iter().filter(|row| row[0].contains('`')) {
        let (named, says) = (quoted(row[0]), quoted(row[1]));
        let is_of = |command: &&Value| {
            let name = command["name"].as_str().unwrap();
            let group = name.split_once(' ').is_some_and(|(group, verb)| named == [group] && says.contains(&verb));
            group || named.iter().any(|of| of.split(" <").next() == Some(name) || of.starts_with(&format!("{name} [")))
        };
        let of: Vec<Value> = commands().into_iter().filter(|it| is_of(&it)).collect();
        assert!(!of.is_empty(), "{named:?} is no command");
        let options: Vec<&str> =
            of.iter().flat_map(|it| it["options"].as_array().unwrap()).map(|it| it["name"].as_str().unwrap()).collect();
        for option in says.iter().filter(|word| word.starts_with("--")) {
            assert!(options.contains(option), "{named:?} has no {option}: {options:?}");
        }
    }
    for command in commands() {
        let name = command["name"].as_str().unwrap();
        let (group, verb) = name.split_once(' ').unwrap_or((name, ""));
        let is_told = rows.iter().any(|row| {
            let named = quoted(row[0]);
            named.iter().any(|of| *of == name || of.starts_with(&format!("{name} ")))
                || named == [group] && quoted(row[1]).contains(&verb)
        });
        assert!(is_told, "the chapter says nothing of {name}");
    }
}

/// An engine with what the examples name, and an example with what they are called there.
struct Sample {
    engine: Engine,
    over: String,
}

impl Sample {
    fn new() -> Self {
        let engine = Engine::start();
        let over =
            engine.said("bulk replay --tag none --yes --wait --local --json").json()["id"].as_str().unwrap().to_owned();
        Self { engine, over }
    }

    fn example(&self, command: &str, example: &str) -> String {
        // An engine has no stages.
        let example = example.replace(" --stage prod", "");
        let line = example.strip_prefix("dacapo ").unwrap().split(" > ").next().unwrap();
        let later = || self.engine.later("");
        if command.starts_with("schedules ") {
            let made = self.engine.said("schedules put tenant-7 import-airports --cron '0 6 1 JAN ? *' --local");
            assert_eq!(made.code, 0, "{made}");
        }
        let id = match command {
            "wait" | "logs" | "state" => self.over.clone(),
            "resume" => {
                let run = later();
                self.engine.said(&format!("pause {run} --local"));
                run
            }
            "complete" | "abort" | "pause" | "replay" | "reschedule" => later(),
            _ => String::new(),
        };
        let delivery = format!("{ID}/user-joined/user.joined");
        if line.contains(&delivery) {
            return line.replace(&delivery, &self.engine.fails("7", Retry::never()));
        }
        if line.contains(TOKEN) {
            return line.replace(TOKEN, &self.engine.token_of(&id));
        }
        line.replace(ID, &id)
    }
}

#[test]
fn every_command_has_an_example_that_works() {
    let sample = Sample::new();
    let workspace = tempfile::tempdir().unwrap();
    for command in commands() {
        let name = command["name"].as_str().unwrap();
        let examples = texts(&command["examples"]);
        assert!(!examples.is_empty(), "{name} has no example");
        assert!(dacapo(&format!("{name} --help")).out.contains(examples[0]), "{name}");
        for example in examples {
            let line = sample.example(name, example);
            let called = |folder: &Path| crate::dacapo::call(&line).within(folder).said().code;
            match name {
                "dev" => {} // Needs a workspace: it is called in one below.
                "new" => assert_eq!(called(workspace.path()), 0),
                "init" | "add task" | "add event" | "add schedule" => {
                    assert_eq!(called(&workspace.path().join("shop")), 0)
                }
                "dashboard" => {
                    let mut serves = sample.engine.call(&format!("{line} --port 0 --local")).speaks();
                    assert!(serves.lines().next().unwrap().starts_with("dashboard at http://127.0.0.1:"));
                }
                "stats" | "doctor" => {
                    assert_eq!(Engine::start().said(&format!("{line} --local")).code, 0, "an app that is well");
                }
                _ => {
                    let yes = if name.starts_with("bulk ") { " --yes" } else { "" }; // Nobody can be asked here.
                    let said = sample.engine.said(&format!("{line}{yes} --local"));
                    assert_eq!(said.code, 0, "{example}: {said}");
                    if !line.contains("--follow") && !line.contains("--json") {
                        let line = sample.example(name, example);
                        sample.engine.said(&format!("{line}{yes} --local --json")).json();
                    }
                }
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn example_of_dev_serves_a_workspace() {
    let dev = commands().into_iter().find(|it| it["name"] == "dev").unwrap();
    let line = texts(&dev["examples"])[0].strip_prefix("dacapo ").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let hello = crate::dev::workspace(folder.path());
    crate::dev::describes_itself(&hello, 30);
    let target = folder.path().join("target").display().to_string();
    let call = crate::dacapo::call(&format!("{line} --no-build --port 0")).within(folder.path());
    let mut serves = call.env("CARGO_TARGET_DIR", &target).speaks();
    assert!(serves.lines().next().unwrap().starts_with("greeter runs at http://127.0.0.1:"));
    serves.signal("TERM");
    serves.ends_within(Duration::from_secs(30));
}
