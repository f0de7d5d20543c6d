//! Deletion: on the condition that the version is still the one seen, with all that stands beside the record.

use dacapo_domain::{Created, Header, Index, Json, LogLine, Machine, Saved};

use super::{
    Bench,
    fixture::{PATIENCE, SILENCE, all_of, create, json, large, listed, load, message, replace, save, send, stored},
    note::Note,
};

/// A payload that is stored apart where payloads can be.
fn body() -> Json {
    large('x', 200_000)
}

async fn delete(bench: &impl Bench, seen: &Header) -> bool {
    bench.ports().records.delete(seen, &[]).await.expect("records can be deleted")
}

/// It is gone, and its places in the indexes with it.
pub async fn deleted_record_is_gone(bench: &impl Bench) {
    let board = bench.unique("board");
    let note = stored(bench, Note::new(bench).at(Index::List, &board, "1")).await;
    assert!(delete(bench, &note.header()).await);
    bench.reopen().await;
    assert_eq!(load(bench, &note.key()).await, None);
    assert!(listed(bench, &all_of(Index::List, &board), 0).await.is_empty());
    assert_eq!(save(bench, &note.header(), &note.next(bench, "late").write()).await, Saved::Lost(None));
}

/// A reply was lost and the call is made again, or there never was one.
pub async fn delete_of_a_record_that_is_not_there_is_done(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    for _ in 0..2 {
        assert!(delete(bench, &note.header()).await);
    }
    assert!(delete(bench, &Note::new(bench).header()).await);
}

/// Another writer came first: the record stays as it is.
pub async fn delete_in_an_older_version_changes_nothing(bench: &impl Bench) {
    let first = stored(bench, Note::new(bench)).await;
    let winner = first.next(bench, "winner");
    replace(bench, &first.write(), &winner.write()).await;
    assert!(!delete(bench, &first.header()).await);
    assert_eq!(load(bench, &first.key()).await, Some(winner.found()));
}

/// Payloads and log go with their record: one of the same key that is created later has none of them.
pub async fn delete_takes_all_that_stands_beside_the_record(bench: &impl Bench) {
    let note = Note::new(bench);
    create(bench, &note.write_with(body())).await;
    let records = bench.ports().records;
    let line = LogLine { sort: "1".to_owned(), document: json("{}") };
    records.append(&note.key(), &[line]).await.unwrap();
    assert!(delete(bench, &note.header()).await);

    let anew = note.next(bench, "anew");
    assert_eq!(create(bench, &anew.write()).await, Created::New);

    assert_eq!(load(bench, &note.key()).await, Some(anew.found()));
    assert_eq!(records.read_log(&note.key(), None, 10).await.unwrap(), []);
}

/// The effects happen once it is gone, and when it is gone already: the first reply may have been lost before them.
pub async fn effects_of_a_delete_happen(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let note = stored(bench, Note::new(bench)).await;
    for text in ["deleted", "was deleted"] {
        assert!(bench.ports().records.delete(&note.header(), &[send(&function, text)]).await.unwrap());
        assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message(text)]);
    }
}

/// A delete that loses lets nothing happen.
pub async fn effects_of_a_delete_that_loses_do_not_happen(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let first = stored(bench, Note::new(bench)).await;
    replace(bench, &first.write(), &first.next(bench, "winner").write()).await;
    assert!(!bench.ports().records.delete(&first.header(), &[send(&function, "late")]).await.unwrap());
    bench.pass(SILENCE).await;
    assert_eq!(bench.receive(&function).await, []);
}
