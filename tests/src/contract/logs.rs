//! Logs: only ever added to, read in the order of their lines.

use dacapo_core::port::{LogEntry, LogLevel};
use dacapo_domain::LogLine;

use super::{
    Bench,
    fixture::{json, large, now, stored},
    note::Note,
};

fn line(sort: &str, text: &str) -> LogLine {
    LogLine { sort: sort.to_owned(), document: json(text) }
}

/// So many lines, in order.
fn lines(count: usize) -> Vec<LogLine> {
    (1..=count).map(|number| line(&format!("{number:05}"), &number.to_string())).collect()
}

async fn append(bench: &impl Bench, note: &Note, lines: &[LogLine]) {
    bench.ports().records.append(&note.key(), lines).await.expect("lines can be added");
}

async fn read(bench: &impl Bench, note: &Note, after: Option<&str>, limit: usize) -> Vec<LogLine> {
    bench.ports().records.read_log(&note.key(), after, limit).await.expect("logs can be read")
}

/// A line keeps all that was said, to the last character.
pub async fn line_is_read_as_it_was_added(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    let lines = [line("1", r#"{"n":12345678901234567890123.450, "t":"\u0000 \ud83d\ude00"}"#), line("ä 2", "null")];
    append(bench, &note, &lines).await;
    bench.reopen().await;
    assert_eq!(read(bench, &note, None, 10).await, lines);
}

/// By their sort texts, whatever the order in which they were added.
pub async fn lines_are_ordered_by_their_sort_texts(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    let lines = ["0001.1", "0001.2", "0002.1", "0010.1", "A", "a", "a/1", "b"].map(|sort| line(sort, "1"));
    for line in lines.iter().rev() {
        append(bench, &note, std::slice::from_ref(line)).await;
    }
    assert_eq!(read(bench, &note, None, 10).await, lines);
}

/// A run's entries are in the order in which they were made: by iteration, attempt and number.
pub async fn entries_of_a_run_are_ordered_as_they_were_made(bench: &impl Bench) {
    let (note, time) = (stored(bench, Note::new(bench)).await, now(bench));
    let made = [(1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1), (2, 1, 9), (2, 1, 10), (10, 1, 1)];
    let made = made.map(|(iteration, attempt, number)| LogEntry {
        iteration,
        attempt,
        number,
        time,
        level: LogLevel::Error,
        message: "can't read".to_owned(),
        data: Some(json(r#"{"rows": 3.0}"#)),
        error: Some("no such file\nno such folder".to_owned()),
    });
    for entry in made.iter().rev() {
        append(bench, &note, &[entry.line().unwrap()]).await;
    }
    let read = read(bench, &note, None, 10).await;
    assert_eq!(read.iter().map(|line| LogEntry::of(line).unwrap()).collect::<Vec<_>>(), made);
}

/// Many lines in one call are many.
pub async fn hundred_lines_added_at_once_are_a_hundred(bench: &impl Bench) {
    let (note, lines) = (stored(bench, Note::new(bench)).await, lines(100));
    append(bench, &note, &lines).await;
    assert_eq!(read(bench, &note, None, 1_000).await, lines);
}

/// Lines that weigh more together than what a service reads at once are all read.
pub async fn heavy_lines_are_all_read(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    let lines: Vec<LogLine> =
        lines(40).into_iter().map(|line| LogLine { document: large('x', 32_768), ..line }).collect();
    append(bench, &note, &lines).await;
    assert!(read(bench, &note, None, 1_000).await == lines);
}

/// No lines are no error.
pub async fn no_lines_are_no_error(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    append(bench, &note, &[]).await;
    assert!(read(bench, &note, None, 10).await.is_empty());
}

/// A reply was lost and the call is made again.
pub async fn line_added_twice_is_one(bench: &impl Bench) {
    let (note, lines) = (stored(bench, Note::new(bench)).await, lines(2));
    append(bench, &note, &lines[..1]).await;
    append(bench, &note, &lines).await;
    assert_eq!(read(bench, &note, None, 10).await, lines);
}

/// A page begins after the line it is told, and has no more than asked for.
pub async fn page_of_a_log_begins_after_the_line_told(bench: &impl Bench) {
    let (note, lines) = (stored(bench, Note::new(bench)).await, lines(5));
    append(bench, &note, &lines).await;
    let pages = [(None, 0..2), (Some("00002"), 2..4), (Some("00004"), 4..5), (Some("00005"), 5..5), (Some("00"), 0..2)];
    for (after, expected) in pages {
        assert_eq!(read(bench, &note, after, 2).await, lines[expected], "after {after:?}");
    }
}

/// A page from the end has the last line first, begins before the line it is told, and has no more than asked for.
pub async fn page_of_a_log_from_its_end_goes_back_from_the_line_told(bench: &impl Bench) {
    let (note, lines) = (stored(bench, Note::new(bench)).await, lines(5));
    append(bench, &note, &lines).await;
    let pages = [(None, 3..5), (Some("00004"), 1..3), (Some("00002"), 0..1), (Some("00001"), 0..0), (Some("1"), 3..5)];
    for (before, expected) in pages {
        let mut back = bench.ports().records.read_log_back(&note.key(), before, 2).await.expect("logs can be read");
        back.reverse();
        assert_eq!(back, lines[expected], "before {before:?}");
    }
}

/// Records have their logs for themselves, and lines are no part of their record.
pub async fn log_is_of_one_record(bench: &impl Bench) {
    let one = stored(bench, Note::new(bench)).await;
    let other = stored(bench, Note::of(bench, format!("{}/1", one.id))).await;
    append(bench, &one, &lines(1)).await;
    assert_eq!(read(bench, &one, None, 10).await, lines(1));
    assert!(read(bench, &other, None, 10).await.is_empty());
    assert_eq!(bench.ports().records.load(&one.key()).await.unwrap(), Some(one.found()));
}
