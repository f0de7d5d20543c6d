//! Statements of the guide are shown: each item of its lists and each row of its tables has a test.
//!
//! `tests/behaviour.toml` has a table for each chapter: words of a statement, as the chapter has them, and the tests that
//! show it. Words that several statements have, as the name of an option's table, stand for all of these. `examples_of_`
//! and a chapter's name are what that chapter's own examples show, which are tests of the documentation.
//! `tests/BEHAVIOUR.md` is made of both: `DACAPO_WRITE=BEHAVIOUR cargo test -p dacapo-tests --no-default-features
//! --test law behaviour` writes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
};

use crate::{
    source::{none, sources},
    workspace::root,
};

/// The chapters that state what holds. Others explain, or translate.
const CHAPTERS: [&str; 24] = [
    "guarantees",
    "functions",
    "account",
    "runs",
    "times",
    "handler",
    "states",
    "errors",
    "hooks",
    "long_runs",
    "tokens",
    "schedules",
    "events",
    "load",
    "lists",
    "deploys",
    "limits",
    "client",
    "formats",
    "observability",
    "recipes",
    "dashboard",
    "project",
    "testing",
];

const TABLE: &str = "tests/behaviour.toml";
const MADE: &str = "tests/BEHAVIOUR.md";

/// A statement. A paragraph may explain, so that it is one where the table names it.
#[derive(Debug, PartialEq)]
struct Statement {
    text: String,
    is_prose: bool,
}

/// Words of a chapter's statements, and the tests that show them.
type Shown = BTreeMap<String, Vec<String>>;

#[test]
fn behaviour_that_the_guide_states_is_shown_by_tests() {
    let table: BTreeMap<String, Shown> = toml::from_str(&read(TABLE)).unwrap();
    let tests = tests();
    let mut found = vec![];
    let mut made = "# Behaviour\n\nWhat the guide states, chapter by chapter, and the tests that show it. Made of the \
                    guide and of `behaviour.toml`: change those.\n"
        .to_owned();
    for chapter in CHAPTERS {
        let statements = statements(&read(&path_of(chapter)));
        let none_yet = Shown::new();
        let shown = table.get(chapter).unwrap_or(&none_yet);
        found.extend(problems(chapter, &statements, shown, &tests));
        made += &written(chapter, &statements, shown, &tests);
    }
    let unknown = table.keys().filter(|chapter| !CHAPTERS.contains(&chapter.as_str()));
    found.extend(unknown.map(|chapter| format!("{TABLE}: [{chapter}] is no chapter that states what holds")));
    none(found);
    if std::env::var("DACAPO_WRITE").is_ok_and(|what| what == "BEHAVIOUR") {
        fs::write(root().join(MADE), &made).unwrap();
    }
    assert!(read(MADE) == made, "{MADE} is not what is made now (its head says how to write it: `law/behaviour.rs`)");
}

fn path_of(chapter: &str) -> String {
    format!("shared/sdk/src/guide/{chapter}.md")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// The items of lists, the rows of tables, and the paragraphs, each as one line.
fn statements(text: &str) -> Vec<Statement> {
    let mut all: Vec<Statement> = vec![];
    let (mut in_code, mut goes_on) = (false, false);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        in_code ^= line.starts_with("```");
        let next = lines.peek().copied().unwrap_or_default();
        let numbered = line.split_once(". ").filter(|(number, _)| number.parse::<u8>().is_ok());
        let item = line.strip_prefix("- ").or(numbered.map(|(_, item)| item));
        let is_head = line.starts_with("|---") || next.starts_with("|---");
        let is_none = line.is_empty() || line.starts_with('#') || line.starts_with("```");
        if in_code || is_head || is_none {
            goes_on = false;
        } else if let Some(item) = item {
            all.push(Statement { text: item.to_owned(), is_prose: false });
            goes_on = true;
        } else if line.starts_with("| ") {
            all.push(Statement { text: line.trim_matches('|').trim().to_owned(), is_prose: false });
            goes_on = false;
        } else if goes_on {
            let last = all.last_mut().unwrap();
            last.text = format!("{} {}", last.text, line.trim());
        } else {
            all.push(Statement { text: line.to_owned(), is_prose: true });
            goes_on = true;
        }
    }
    all
}

/// The tests of the repository, the rules that a contract makes tests of, and the examples of chapters, each with its file.
fn tests() -> BTreeMap<String, String> {
    let all = sources(&["functions", "infra", "shared", "tests"]);
    let has_examples = |chapter: &&str| read(&path_of(chapter)).contains("\n```\nuse dacapo::");
    let examples = CHAPTERS.into_iter().filter(has_examples);
    let examples = examples.map(|chapter| (format!("examples_of_{chapter}"), path_of(chapter)));
    all.iter().flat_map(|source| tests_in(&source.path, &source.text)).chain(examples).collect()
}

fn tests_in(file: &str, text: &str) -> Vec<(String, String)> {
    let is_rule = ["tests/src/contract/", "shared/dashboard/tests/browser/"].iter().any(|of| file.starts_with(of));
    let (mut found, mut is_test) = (vec![], false);
    for line in text.lines().map(str::trim) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let name = line.trim_start_matches("pub ").trim_start_matches("async ").strip_prefix("fn ");
        if let Some((name, _)) = name.and_then(|name| name.split_once(['(', '<'])) {
            found.extend((is_test || is_rule).then(|| (name.to_owned(), file.to_owned())));
            is_test = false;
        }
    }
    found
}

/// Words that no statement has, tests that aren't there, and statements that no test shows.
fn problems(chapter: &str, statements: &[Statement], shown: &Shown, tests: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = vec![];
    for (words, by) in shown {
        if !statements.iter().any(|statement| statement.text.contains(words.as_str())) {
            found.push(format!("{TABLE}: the chapter {chapter} states nothing with the words {words:?}"));
        }
        if by.is_empty() {
            found.push(format!("{TABLE}: [{chapter}] {words:?} names no test"));
        }
        let missing = by.iter().filter(|test| !tests.contains_key(*test));
        found.extend(missing.map(|test| format!("{TABLE}: [{chapter}] {words:?}: there is no test {test}")));
    }
    let bare = statements.iter().filter(|statement| !statement.is_prose && shown_by(statement, shown).is_empty());
    found.extend(bare.map(|Statement { text, .. }| {
        format!("{}: no test shows {text:?} (write one, and name it in {TABLE})", path_of(chapter))
    }));
    found
}

fn shown_by<'a>(statement: &Statement, shown: &'a Shown) -> BTreeSet<&'a str> {
    let named = shown.iter().filter(|(words, _)| statement.text.contains(words.as_str()));
    named.flat_map(|(_, by)| by).map(String::as_str).collect()
}

fn written(chapter: &str, statements: &[Statement], shown: &Shown, tests: &BTreeMap<String, String>) -> String {
    let mut text = format!("\n## {chapter}\n\n");
    for statement in statements {
        let by = shown_by(statement, shown);
        if by.is_empty() {
            continue;
        }
        let _ = writeln!(text, "- {}", statement.text);
        for test in by {
            let _ = writeln!(text, "  - {test} (`{}`)", tests.get(test).map_or("", String::as_str));
        }
    }
    text
}

#[test]
fn behaviour_without_a_test_is_found() {
    let chapter = "Text.\n\n- One that\n  goes on.\n- Two.\n\n| a | b |\n|---|---|\n| x | three |\n\n```\n- code\n```\n1. Four.\n";
    let all = statements(chapter);
    let texts: Vec<_> = all.iter().map(|statement| (statement.text.as_str(), statement.is_prose)).collect();
    let stated = [("One that goes on.", false), ("Two.", false), ("x | three", false), ("Four.", false)];
    assert_eq!(texts, [&[("Text.", true)][..], &stated].concat());
    let tests = tests_in("a.rs", "#[tokio::test]\nasync fn shows_it() {}\nfn helps() {}\n").into_iter().collect();
    let shown = |words: &str, test: &str| Shown::from([(words.to_owned(), vec![test.to_owned()])]);
    let bare = |shown: &Shown| problems("c", &all, shown, &tests).len();
    assert_eq!(bare(&Shown::new()), 4);
    assert_eq!(bare(&shown("o", "shows_it")), 1, "Four has none of it");
    assert_eq!(bare(&shown("o", "helps")), 2, "it is no test");
    assert_eq!(bare(&shown("Five", "shows_it")), 5, "nothing is stated so");
}
