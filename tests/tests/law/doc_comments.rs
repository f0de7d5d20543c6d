//! Doc comments open with a noun phrase or a verb in the third person, and name who does a thing.

use crate::source::{Source, none, sources};

/// Words that open a riddle rather than a description.
const OPENERS: &[&str] = &[
    "What", "Whatever", "Whether", "How", "When", "Where", "Which", "Why", "Who", "Whom", "Whose", "Its", "Somebody",
    "Nobody", "Whoever",
];

const PERSONS: &[&str] = &["somebody", "nobody", "whoever"];

const FOLDERS: &[&str] = &["shared", "infra", "functions", "tests"];

#[test]
fn no_doc_comment_opens_with_a_question_word() {
    none(sources(FOLDERS).iter().flat_map(openers).collect());
}

#[test]
fn doc_comments_name_who_does_a_thing() {
    none(sources(FOLDERS).iter().flat_map(persons).collect());
}

/// The doc comments that open with a question word.
fn openers(source: &Source) -> Vec<String> {
    let first = doc_lines(source).filter(|line| line.is_first);
    let opened =
        first.filter_map(|line| Some((line.number, OPENERS.iter().find(|word| first_word(line.text) == **word)?)));
    let advice = "open with a noun phrase (\"The lease that …\") or a verb (\"Returns …\")";
    opened
        .map(|(number, word)| format!("{}:{number}: a doc comment opens with `{word}`; {advice}", source.path))
        .collect()
}

/// The lines of doc comments that leave open who does a thing.
fn persons(source: &Source) -> Vec<String> {
    let mut found = vec![];
    for line in doc_lines(source) {
        let mut words = line.text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
        if let Some(word) = words.find(|word| PERSONS.contains(&word.as_str())) {
            let place = format!("{}:{}", source.path, line.number);
            found.push(format!("{place}: a doc comment says `{word}`; name the one who does it, or the thing"));
        }
    }
    found
}

struct DocLine<'a> {
    number: usize,
    text: &'a str,
    /// Is true where a doc comment begins here.
    is_first: bool,
}

fn doc_lines(source: &Source) -> impl Iterator<Item = DocLine<'_>> {
    let mut before = None;
    source.text.lines().enumerate().filter_map(move |(number, line)| {
        let line = line.trim_start();
        let mark = ["///", "//!"].into_iter().find(|mark| line.starts_with(mark) && !line.starts_with("////"));
        let is_first = mark != before;
        before = mark;
        mark.map(|mark| DocLine { number: number + 1, text: line[mark.len()..].trim(), is_first })
    })
}

fn first_word(line: &str) -> &str {
    line.split(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default()
}

#[test]
fn only_the_first_line_of_a_doc_comment_opens_it_and_only_by_a_whole_word() {
    let text = "//! Howitzers.\n//! When they fire.\n\n/// Its own.\nfn f();\n/// The lease.\n/// How long.\n/// Which.\n\n//// What.\n// What.\n\n/// Whose.\n";
    let found = openers(&Source::new("a.rs", text));
    let places: Vec<&str> = found.iter().filter_map(|line| line.split(';').next()).collect();
    assert_eq!(places, ["a.rs:4: a doc comment opens with `Its`", "a.rs:13: a doc comment opens with `Whose`"]);
}

#[test]
fn somebody_nobody_and_whoever_are_told_in_any_line_of_a_doc_comment_alone() {
    let text = "/// The lease.\n/// Whoever's it is.\nfn nobody(); // somebody";
    assert_eq!(
        persons(&Source::new("a.rs", text)),
        ["a.rs:2: a doc comment says `whoever`; name the one who does it, or the thing"]
    );
}
