//! Expiry: what has expired is gone for every caller, whether or not the service has deleted it.

use dacapo_domain::{Created, Index, Json, LogLine, Machine, Saved, Write, slot};

use super::{
    Bench,
    fixture::{
        all_of, create, json, large, let_expire, listed, load, now, payload, replace, save, send, soon_s, stored,
    },
    note::{Note, found},
};

/// A payload that is stored apart where payloads can be.
fn body() -> Json {
    large('x', 200_000)
}

fn line(text: &str) -> LogLine {
    LogLine { sort: text.to_owned(), document: json("{}") }
}

async fn append(bench: &impl Bench, note: &Note, text: &str) {
    bench.ports().records.append(&note.key(), &[line(text)]).await.expect("lines can be added");
}

async fn read_log(bench: &impl Bench, note: &Note) -> Vec<LogLine> {
    bench.ports().records.read_log(&note.key(), None, 10).await.expect("logs can be read")
}

/// Stores a note with a body and a log, which expires soon.
async fn stored_for_a_while(bench: &impl Bench, note: Note) -> Note {
    create(bench, &note.write_with(body())).await;
    append(bench, &note, "1").await;
    let next = Note { expires_at_s: Some(soon_s(bench)), ..note.next(bench, "ended") };
    replace(bench, &note.write(), &next.write()).await;
    append(bench, &next, "2").await;
    next
}

/// It is there until its time is up, and not after it.
pub async fn record_whose_time_is_up_is_gone(bench: &impl Bench) {
    let note = stored_for_a_while(bench, Note::new(bench)).await;
    assert!(load(bench, &note.key()).await.is_some());
    let_expire(bench).await;
    assert_eq!(load(bench, &note.key()).await, None);
}

/// A record that has not expired stays.
pub async fn record_whose_time_is_not_up_stays(bench: &impl Bench) {
    let expires_at_s = Some(now(bench).as_second() + 86_400);
    let note = stored(bench, Note { expires_at_s, ..Note::new(bench) }).await;
    let_expire(bench).await;
    assert_eq!(load(bench, &note.key()).await, Some(note.found()));
}

/// A save makes no stump of what is gone.
pub async fn save_of_an_expired_record_stores_nothing(bench: &impl Bench) {
    let note = stored_for_a_while(bench, Note::new(bench)).await;
    let_expire(bench).await;
    let late = Note { expires_at_s: None, ..note.next(bench, "late") };
    assert_eq!(save(bench, &note.header(), &late.write()).await, Saved::Lost(None));
    assert_eq!(load(bench, &note.key()).await, None);
}

/// Nothing is left of the old record on the new one: no payload, no line of its log.
pub async fn create_over_an_expired_record_leaves_nothing_of_it(bench: &impl Bench) {
    let note = stored_for_a_while(bench, Note::new(bench)).await;
    let_expire(bench).await;
    let anew = Note { lines: vec![], expires_at_s: None, ..note.next(bench, "anew") };
    let write = Write { payloads: anew.write().payloads.with(slot::INPUT, json("1")), ..anew.write() };

    assert_eq!(create(bench, &write).await, Created::New);

    assert_eq!(load(bench, &note.key()).await, Some(found(&write)));
    assert_eq!(read_log(bench, &anew).await, []);
}

/// A record that has expired is on no page.
pub async fn expired_record_is_not_listed(bench: &impl Bench) {
    let board = bench.unique("board");
    stored_for_a_while(bench, Note::new(bench).at(Index::List, &board, "1")).await;
    let kept = stored(bench, Note::new(bench).at(Index::List, &board, "2")).await;
    let_expire(bench).await;
    assert_eq!(listed(bench, &all_of(Index::List, &board), 1).await, [kept.id]);
}

/// There is none any more: that is what a delete is for.
pub async fn delete_of_an_expired_record_is_done(bench: &impl Bench) {
    let note = stored_for_a_while(bench, Note::new(bench)).await;
    let_expire(bench).await;
    assert!(bench.ports().records.delete(&note.header(), &[]).await.unwrap());
}

/// A record's log expires with it.
pub async fn log_of_an_expired_record_is_empty(bench: &impl Bench) {
    let note = Note::new(bench);
    create(bench, &note.write()).await;
    append(bench, &note, "1").await;
    let next = Note { expires_at_s: Some(soon_s(bench)), ..note.next(bench, "ended") };
    replace(bench, &note.write(), &next.write()).await;
    assert_eq!(read_log(bench, &next).await, [line("1")]);
    let_expire(bench).await;
    assert_eq!(read_log(bench, &next).await, []);
}

/// The conductor lets the rest of what stands beside a record expire, which is then left alone.
pub async fn long_log_of_an_expired_record_is_empty(bench: &impl Bench) {
    let note = Note { reconcile_at: Some(now(bench)), ..Note::new(bench) };
    create(bench, &note.write_with(body())).await;
    let lines: Vec<LogLine> = (100..130).map(|n| line(&n.to_string())).collect();
    bench.ports().records.append(&note.key(), &lines).await.expect("lines can be added");
    let next = Note { expires_at_s: Some(soon_s(bench)), reconcile_at: None, ..note.next(bench, "ended") };
    replace(bench, &note.write(), &next.write()).await;

    let header = load(bench, &note.key()).await.expect("it has not expired").header;
    bench.ports().records.expire_overflow(&header).await.expect("it can expire");

    assert_eq!(load(bench, &note.key()).await.map(|found| found.header), Some(next.header()));
    assert!(payload(bench, &note.key(), slot::BODY).await == Some(body()));
    let_expire(bench).await;
    assert_eq!(read_log(bench, &next).await, []);
}

/// A save that puts the end off, or takes it back, keeps what stands beside the record too.
pub async fn record_that_is_needed_again_keeps_all_that_stands_beside_it(bench: &impl Bench) {
    for expires_at_s in [None, Some(now(bench).as_second() + 86_400)] {
        let note = stored_for_a_while(bench, Note::new(bench)).await;
        let again = Note { expires_at_s, ..note.next(bench, "again") };
        replace(bench, &note.write(), &again.write()).await;
        let_expire(bench).await;
        assert!(payload(bench, &note.key(), slot::BODY).await == Some(body()));
        assert_eq!(read_log(bench, &again).await, [line("1"), line("2")]);
    }
}

/// The effects of saving an expired record don't happen.
pub async fn save_of_an_expired_record_lets_nothing_happen(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let note = stored_for_a_while(bench, Note::new(bench)).await;
    let_expire(bench).await;
    save(bench, &note.header(), &note.next(bench, "late").write_and(vec![send(&function, "late")])).await;
    bench.pass(super::fixture::SILENCE).await;
    assert_eq!(bench.receive(&function).await, []);
}
