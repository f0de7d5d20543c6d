//! The last group of the table of bad input, `tests/tests/refusals`: command lines, and the files that `new` and `add`
//! read. Each is refused on standard error with its exit code, and changes nothing. `INSTA_UPDATE=always` writes it anew.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    dacapo::{Said, call},
    engine::Engine,
};
use regex_lite::Regex;

/// Lines that are refused before the engine is asked, or by it.
const LINES: [&str; 47] = [
    "rnu a",
    "run",
    "run a b --local",
    "run reports --local",
    "run nightly-report --local",
    "run import-airports --local --body {oops",
    "run import-airports --local --body 1e999",
    "run import-airports --local --body '\"\\ud83d\"'",
    "run import-airports --local --body @none.json",
    "run import-airports --local --when '1 day 2 hours'",
    "run import-airports --local --when 2022-01-14T17:46:05Z",
    "run import-airports --local --key ''",
    "run import-airports --local --tag ''",
    "run import-airports --local --ttl 0",
    "run import-airports --local --priority '5 seconds'",
    "run import-airports --local --stage dev",
    "publish",
    "publish '' --local",
    "publish task.failed:a --local",
    "state",
    "state 17 --local",
    "state 01KDVJ29Q0Q0B9FME0N1VT25N3 --local",
    "abort 01KDVJ29Q0Q0B9FME0N1VT25N3 --local",
    "wait 01KDVJ29Q0Q0B9FME0N1VT25N3 --local --timeout soon",
    "reschedule 01KDVJ29Q0Q0B9FME0N1VT25N3 tomorrow --local",
    "list --local --limit 0",
    "list --local --state done",
    "list --local --cursor abc",
    "list --local --task reports",
    "list --local --since 2026-02-01T00:00:00Z --until 2026-01-01T00:00:00Z",
    "complete abc 1 --local",
    "schedules put s import-airports --local --every '30 seconds'",
    "schedules put s import-airports --local --cron '0 6 * * *'",
    "schedules put s import-airports --local --cron '0 6 * * ? *' --timezone Mars",
    "schedules get nightly --local",
    "schedules upcoming nightly --local --next 1001",
    "queues pause lables --local",
    "deliveries show 1 --local",
    "dead-letters redrive --local",
    "dead-letters redrive 1 --local",
    "bulk abort --local",
    "every '1 month'",
    "cron '0 6 * * *'",
    "when '1 fortnight'",
    "help NOT_A_CODE",
    "manifest --local --json --jsno",
    "completions tcsh",
];

/// Rows so far.
#[derive(Default)]
struct Rows(String);

impl Rows {
    fn add(&mut self, given: &str, said: &Said) {
        assert!(said.code != 0 && said.out.is_empty(), "{given}: {said}");
        let now = Regex::new(r"than now, \S+;").unwrap();
        let err = now.replace_all(&said.err, "than now, TIME;");
        let refusal = format!("{err}exit {}", said.code).replace('\n', "\n    ");
        self.0 += &format!("{given}\n    {refusal}\n");
    }

    fn are(&self, group: &str) {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(group, self.0);
        });
    }
}

#[test]
fn line_that_can_t_be_done_is_refused_with_what_is_allowed() {
    let engine = Engine::start();
    let mut rows = Rows::default();
    for line in LINES {
        rows.add(&format!("dacapo {line}"), &engine.said(line));
    }
    rows.are("refused_lines");
}

/// A workspace as `new` makes one, and its files.
fn made(folder: &Path) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let said = call(&format!("new shop --from 'path:{}'", top.display())).within(folder).said();
    assert_eq!(said.code, 0, "{said}");
    folder.join("shop")
}

fn texts(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(texts(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

#[test]
fn file_of_a_workspace_that_can_t_be_used_is_refused_and_nothing_changes() {
    let mut rows = Rows::default();
    let files: [(&str, &[u8], &str); 13] = [
        ("Cargo.toml", b"[workspace", "add task resize"),
        ("Cargo.toml", b"[package]\nname = \"shop\"\n", "add task resize"),
        ("Cargo.toml", b"\xff\xfe", "add task resize"),
        ("Cargo.toml", b"[workspace]\nmembers = 7\n", "init --app shop"),
        ("Cargo.toml", b"[workspace]\n[workspace.metadata.dacapo]\napp = 7\n", "list"),
        ("Cargo.toml", b"[workspace]\n[workspace.metadata.dacapo]\napp = \"Shop\"\n", "list"),
        ("Cargo.toml", b"[workspace]\n", "list"),
        ("shared/app/src/lib.rs", b"\xff\xfe", "add task resize"),
        ("README.md", b"", "add task greet"),
        ("README.md", b"", "add task ''"),
        ("README.md", b"", "add event task.failed"),
        ("README.md", b"", "add schedule match"),
        ("README.md", b"", "new ../shop"),
    ];
    for (file, text, line) in files {
        let folder = tempfile::tempdir().unwrap();
        let shop = made(folder.path());
        fs::write(shop.join(file), text).unwrap();
        let before = texts(folder.path());
        let said = call(line).within(&shop).said();
        assert!(texts(folder.path()) == before, "{file}: {line} changed a file");
        let here = folder.path().canonicalize().unwrap();
        let err = said.err.replace(&*here.to_string_lossy(), "HERE").replace(&*folder.path().to_string_lossy(), "HERE");
        rows.add(&format!("{file} of {:?}: dacapo {line}", String::from_utf8_lossy(text)), &Said { err, ..said });
    }
    rows.are("refused_files");
}

#[test]
fn manifest_of_a_function_that_cargo_refuses_is_told_in_cargos_words() {
    let folder = tempfile::tempdir().unwrap();
    let shop = made(folder.path());
    fs::write(shop.join("functions/greet/Cargo.toml"), "[package").unwrap();
    let said = call("dev").within(&shop).said();
    assert!(said.code == 1 && said.err.contains("functions/greet/Cargo.toml:1:9"), "{said}");
    assert!(said.err.contains("failed to read the workspace at ") && said.err.contains("(cargo says why)"), "{said}");
}
