//! Payloads: JSON values that are replaced one by one, small or large.

use dacapo_domain::{Created, Index, Machine, Payload, Payloads, Saved, Write, slot};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{all_of, ask, create, json, large, listed, load, payload, replace, save},
    note::Note,
};

/// Larger than what is stored with a record anywhere, as large as a body may be.
const LARGE: usize = 1_048_576;

fn with(note: &Note, slot: &'static str, text: &str) -> Write {
    Write { payloads: Payloads::none().with(slot, json(text)), ..note.write() }
}

/// A payload that was never written is absent.
pub async fn payload_that_was_never_written_is_absent(bench: &impl Bench) {
    let note = Note::new(bench);
    create(bench, &note.write_with(json("null"))).await;
    assert_eq!(payload(bench, &note.key(), slot::BODY).await, Some(json("null")));
    assert_eq!(payload(bench, &note.key(), slot::RESULT).await, None);
}

/// A save stores the payloads it brings; the others stay what they were.
pub async fn payload_that_a_save_does_not_bring_stays(bench: &impl Bench) {
    let first = Note::new(bench);
    let [second, third, fourth] = [first.next(bench, "2"), first.next(bench, "3"), first.next(bench, "4")];
    let first = first.write_with(json("[1]"));
    create(bench, &first).await;
    let key = &first.header.key;

    let second = with(&second, slot::INPUT, "1");
    replace(bench, &first, &second).await;
    assert_eq!(payload(bench, key, slot::INPUT).await, Some(json("1")));
    let third = with(&third, slot::INPUT, "2");
    replace(bench, &second, &third).await;
    assert_eq!(payload(bench, key, slot::INPUT).await, Some(json("2")));
    replace(bench, &third, &with(&fourth, slot::RESULT, "3")).await;

    let all = [(slot::BODY, "[1]"), (slot::INPUT, "2"), (slot::RESULT, "3")];
    for (slot, text) in all {
        assert_eq!(payload(bench, key, slot).await, Some(json(text)), "{slot}");
    }
}

/// A small payload is stored with its record and comes with every reply, which saves a read.
pub async fn small_payload_comes_with_every_reply(bench: &impl Bench) {
    let (board, body) = (bench.unique("board"), json("[1]"));
    let first = Note::new(bench).at(Index::List, &board, "1");
    let second = first.next(bench, "second");
    let has_body = |payloads: &Payloads| payloads.get(slot::BODY) == Payload::Here(&body);
    create(bench, &first.write_with(body.clone())).await;

    let done = save(bench, &first.header(), &second.write()).await;
    let lost = save(bench, &first.header(), &first.next(bench, "late").write()).await;
    let exists = create(bench, &first.next(bench, "late").write()).await;
    listed(bench, &all_of(Index::List, &board), 1).await;
    let page = ask(bench, &all_of(Index::List, &board)).await;

    assert!(matches!(&done, Saved::Done(payloads) if has_body(payloads)), "{done:?}");
    assert!(matches!(&lost, Saved::Lost(Some(record)) if has_body(&record.payloads)), "{lost:?}");
    assert!(matches!(&exists, Created::Exists(record) if has_body(&record.payloads)), "{exists:?}");
    assert!(matches!(&page.records[..], [record] if has_body(&record.payloads)), "{page:?}");
}

/// A large payload is never taken for absent: a reply has its value, or says that it is apart.
pub async fn large_payload_is_here_or_apart_in_every_reply(bench: &impl Bench) {
    let (board, body) = (bench.unique("board"), large('x', LARGE));
    let first = Note::new(bench).at(Index::List, &board, "1");
    let second = first.next(bench, "second");
    let has_body = |payloads: &Payloads| [Payload::Here(&body), Payload::Apart].contains(&payloads.get(slot::BODY));
    create(bench, &first.write_with(body.clone())).await;

    let done = save(bench, &first.header(), &second.write()).await;
    let lost = save(bench, &first.header(), &first.next(bench, "late").write()).await;
    let exists = create(bench, &first.next(bench, "late").write()).await;
    listed(bench, &all_of(Index::List, &board), 1).await;
    let page = ask(bench, &all_of(Index::List, &board)).await;

    assert!(matches!(&done, Saved::Done(payloads) if has_body(payloads)));
    assert!(matches!(&lost, Saved::Lost(Some(record)) if has_body(&record.payloads)));
    assert!(matches!(&exists, Created::Exists(record) if has_body(&record.payloads)));
    assert!(matches!(&page.records[..], [record] if has_body(&record.payloads)));
    assert!(payload(bench, &first.key(), slot::BODY).await == Some(body));
}

/// Payloads are text that is carried, not read: numbers beyond any machine type, white space, every character.
pub async fn payload_of_any_text_is_kept_to_the_last_character(bench: &impl Bench) {
    let texts = [
        r#"{"n":12345678901234567890123.45678901234567890,"e":1e400}"#,
        "[ 1,\n\t2 ]",
        r#""\u0000 \ud83d\ude00 \ufffe""#,
        "\"\u{1F600} \u{FFFE} \u{FFFF} ä\"",
        "null",
    ];
    for text in texts {
        let note = Note::new(bench);
        create(bench, &note.write_with(json(text))).await;
        assert_eq!(payload(bench, &note.key(), slot::BODY).await, Some(json(text)));
    }
}

/// Characters of several bytes fall on the borders of whatever a large payload is cut into.
pub async fn large_payload_of_wide_characters_is_kept(bench: &impl Bench) {
    let body = json(&format!("\"x{}\"", "\u{1F600}".repeat(260_000)));
    let note = Note::new(bench);
    create(bench, &note.write_with(body.clone())).await;
    assert!(payload(bench, &note.key(), slot::BODY).await == Some(body));
}

/// The largest body, input and result fit, all at once.
pub async fn largest_payloads_fit_all_at_once(bench: &impl Bench) {
    let first = Note::new(bench);
    let second = first.next(bench, "second");
    let (body, input, result) = (large('b', LARGE), large('i', LARGE), large('r', 65_536));
    create(bench, &first.write_with(body.clone())).await;
    let payloads = Payloads::none().with(slot::INPUT, input.clone()).with(slot::RESULT, result.clone());
    replace(bench, &first.write(), &Write { payloads, ..second.write() }).await;
    bench.reopen().await;

    for (slot, value) in [(slot::BODY, body), (slot::INPUT, input), (slot::RESULT, result)] {
        assert!(payload(bench, &first.key(), slot).await == Some(value), "{slot}");
    }
}

/// Large to small, small to large, large to shorter: the last one is there, and nothing else.
pub async fn payload_of_another_size_replaces_the_former(bench: &impl Bench) {
    let mut note = Note::new(bench);
    create(bench, &note.write_with(large('a', LARGE))).await;
    for body in [json("1"), large('b', LARGE), large('c', LARGE / 2), json("2")] {
        let next = note.next(bench, "next");
        replace(bench, &note.write(), &next.write_with(body.clone())).await;
        assert!(payload(bench, &note.key(), slot::BODY).await == Some(body));
        note = next;
    }
}

/// A write that loses leaves no trace, although its payload may have to be stored before its record.
pub async fn large_payload_of_a_write_that_loses_changes_nothing(bench: &impl Bench) {
    let first = Note::new(bench);
    let (stands, late) = (first.next(bench, "stands"), large('l', LARGE));
    create(bench, &first.write_with(large('f', LARGE))).await;
    replace(bench, &first.write(), &stands.write()).await;

    let lost = save(bench, &first.header(), &first.next(bench, "late").write_with(late.clone())).await;
    assert!(matches!(lost, Saved::Lost(Some(_))));
    let exists = create(bench, &first.next(bench, "late").write_with(late)).await;
    assert!(matches!(exists, Created::Exists(_)));

    let record = load(bench, &first.key()).await.expect("the record is there");
    assert_eq!((record.header, record.document), (stands.header(), stands.write().document));
    assert!(record.payloads.get(slot::BODY) == Payload::Here(&large('f', LARGE)));
}

/// Ten large payloads at once: the winner's is there, whole.
pub async fn large_payloads_of_ten_saves_at_once_are_not_mixed(bench: &impl Bench) {
    let first = Note::new(bench);
    create(bench, &first.write_with(large('f', LARGE))).await;
    let writers: Vec<(Note, char)> = ('a'..='j').map(|letter| (first.next(bench, "next"), letter)).collect();
    let seen = first.header();

    let saved = join_all(writers.iter().map(|(note, letter)| {
        let write = note.write_with(large(*letter, LARGE));
        let seen = &seen;
        async move { save(bench, seen, &write).await }
    }));
    let winner = saved.await.iter().position(|saved| matches!(saved, Saved::Done(_))).expect("one of them wins");

    let (note, letter) = &writers[winner];
    let record = load(bench, &first.key()).await.expect("the record is there");
    assert_eq!(record.header, note.header());
    assert!(record.payloads.get(slot::BODY) == Payload::Here(&large(*letter, LARGE)));
}
