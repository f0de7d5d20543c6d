//! Doc comments open with a noun phrase or a verb in the third person, and name who does a thing.

use crate::source::{Source, none, sources};

/// Words that open a riddle rather than a description.
const OPENERS: &[&str] = &["What", "Whether", "How", "When", "Where", "Who", "Its", "Somebody", "Nobody", "Whoever"];

/// At most one doc comment in so many opens like that.
const ONE_IN: usize = 20;

const PERSONS: &[&str] = &["somebody", "nobody", "whoever"];

const FOLDERS: &[&str] = &["shared", "infra", "functions", "tests"];

#[test]
fn at_most_one_doc_comment_in_twenty_opens_with_a_question_word() {
    none(openers(&sources(FOLDERS)));
}

#[test]
fn doc_comments_name_who_does_a_thing() {
    none(sources(FOLDERS).iter().flat_map(persons).collect());
}

/// The doc comments that open with a question word, where they are too many.
fn openers(sources: &[Source]) -> Vec<String> {
    let mut all = 0;
    let mut found = vec![];
    for source in sources {
        for (number, line) in doc_lines(source).filter(|line| line.is_first).map(|line| (line.number, line.text)) {
            all += 1;
            if let Some(word) = OPENERS.iter().find(|word| first_word(line) == **word) {
                found.push(format!("{}:{number}: a doc comment opens with `{word}`", source.path));
            }
        }
    }
    if found.len() * ONE_IN <= all {
        return vec![];
    }
    let share = format!("{} of {all} doc comments open with one of {}", found.len(), OPENERS.join(", "));
    found.push(format!(
        "{share}: at most {} may; open with a noun phrase (\"The lease that …\") or a verb (\"Returns …\")",
        all / ONE_IN
    ));
    found
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
fn question_words_are_told_when_they_open_more_than_one_doc_comment_in_twenty() {
    let riddles = |count: usize, good: usize| {
        let text =
            "/// What it is.\nfn f();\n".repeat(count) + &"/// The lease.\n/// How long.\nfn f();\n".repeat(good);
        openers(&[Source::new("shared/x/src/a.rs", &text)])
    };
    assert_eq!(riddles(1, 19), [""; 0]);
    let found = riddles(2, 19);
    assert_eq!(
        found[..2],
        [
            "shared/x/src/a.rs:1: a doc comment opens with `What`",
            "shared/x/src/a.rs:3: a doc comment opens with `What`",
        ]
    );
    assert!(found[2].starts_with("2 of 21 doc comments open with one of What, Whether"), "{}", found[2]);
}

#[test]
fn only_the_first_line_of_a_doc_comment_opens_it_and_only_by_a_whole_word() {
    let text = "//! Howitzers.\n//! When they fire.\n\n/// Its own.\nfn f();\n//// What.\n// What.\n";
    assert_eq!(openers(&[Source::new("a.rs", text)])[0], "a.rs:4: a doc comment opens with `Its`");
    assert_eq!(openers(&[Source::new("a.rs", text)]).len(), 2);
}

#[test]
fn somebody_nobody_and_whoever_are_told_in_any_line_of_a_doc_comment_alone() {
    let text = "/// The lease.\n/// Whoever's it is.\nfn nobody(); // somebody";
    assert_eq!(
        persons(&Source::new("a.rs", text)),
        ["a.rs:2: a doc comment says `whoever`; name the one who does it, or the thing"]
    );
}
