//! Sets among a record's payloads, which grow whatever else becomes of it.

use std::collections::BTreeSet;

use dacapo_domain::{Machine, RecordKey, Saved, StoredRecord, slot};
use futures::future::join_all;

use super::{
    Bench,
    fixture::{create, json, large, let_expire, load, replace, save, soon_s, stored},
    note::Note,
};

async fn gather(bench: &impl Bench, key: &RecordKey, members: &[&str]) -> Option<StoredRecord> {
    let members: Vec<String> = members.iter().map(|member| (*member).to_owned()).collect();
    bench.ports().records.gather(key, slot::MEMBERS, &members).await.expect("members can be added")
}

fn members(stored: Option<&StoredRecord>) -> BTreeSet<String> {
    stored.expect("the record is there").payloads.members(slot::MEMBERS)
}

fn set(members: &[&str]) -> BTreeSet<String> {
    members.iter().map(|member| (*member).to_owned()).collect()
}

/// Added one by one, together, and twice: the reply has all of them, and the record as it stands.
pub async fn members_are_added_to_those_that_are_there(bench: &impl Bench) {
    let note = Note::new(bench);
    create(bench, &note.write_with(json("[1]"))).await;
    gather(bench, &note.key(), &["b"]).await;
    gather(bench, &note.key(), &["c", "a"]).await;

    let found = gather(bench, &note.key(), &["b"]).await;

    assert_eq!(members(found.as_ref()), set(&["a", "b", "c"]));
    assert_eq!(found, load(bench, &note.key()).await);
    assert_eq!(found.map(|found| found.header), Some(note.header()), "that is no new version");
    assert_eq!(bench.ports().records.peek(&[note.key()]).await.expect("records can be read").len(), 1);
}

/// Writers that meet lose nothing, and exactly one reply is the first with all of them.
pub async fn members_added_at_once_are_all_there(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    let (key, names) = (note.key(), (0..40).map(|member| format!("member {member:02}")).collect::<Vec<_>>());

    let replies = join_all(names.iter().map(|name| async { gather(bench, &key, &[name]).await })).await;

    let sizes: BTreeSet<usize> = replies.iter().map(|reply| members(reply.as_ref()).len()).collect();
    assert_eq!(sizes, (1..=40).collect(), "each reply tells of one more");
    assert_eq!(members(load(bench, &key).await.as_ref()).len(), 40);
}

/// A writer that replaces the record meanwhile doesn't lose to the set, keeps it, and is given it.
pub async fn save_keeps_the_set_and_is_given_it(bench: &impl Bench) {
    let first = stored(bench, Note::new(bench)).await;
    gather(bench, &first.key(), &["a"]).await;
    let second = first.next(bench, "second");

    let saved = save(bench, &first.header(), &second.write_with(large('x', 3_000))).await;

    let Saved::Done(payloads) = saved else { panic!("nobody has replaced the record") };
    assert_eq!(payloads.members(slot::MEMBERS), set(&["a"]));
    replace(bench, &second.write(), &second.next(bench, "third").write()).await;
    assert_eq!(members(load(bench, &first.key()).await.as_ref()), set(&["a"]));
}

/// A set of more bytes than are stored with a record in one piece is as good.
pub async fn set_of_a_thousand_members_is_whole(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    let names: Vec<String> = (0..1_000).map(|member| format!("{member:03}")).collect();
    for half in names.chunks(500) {
        gather(bench, &note.key(), &half.iter().map(|name| &**name).collect::<Vec<_>>()).await;
    }
    let found = bench.ports().records.peek(&[note.key()]).await.expect("records can be read");
    assert_eq!(members(found.first()), names.into_iter().collect());
}

/// A set never makes a record out of nothing, nor out of one whose time is up.
pub async fn set_of_a_record_that_is_gone_is_none(bench: &impl Bench) {
    let never = Note::new(bench);
    let over = stored(bench, Note { expires_at_s: Some(soon_s(bench)), ..Note::new(bench) }).await;
    let_expire(bench).await;
    for note in [never, over] {
        assert_eq!(gather(bench, &note.key(), &["a"]).await, None);
        assert_eq!(load(bench, &note.key()).await, None);
        assert_eq!(bench.ports().records.peek(&[note.key()]).await.expect("records can be read"), []);
    }
}

/// Those of many keys that are there are told in one call.
pub async fn peek_gives_those_that_are_there(bench: &impl Bench) {
    let mut keys = BTreeSet::new();
    for _ in 0..5 {
        keys.insert(stored(bench, Note::new(bench)).await.key());
    }
    let asked: Vec<RecordKey> = keys.iter().cloned().chain((0..120).map(|_| Note::new(bench).key())).collect();
    let found = bench.ports().records.peek(&asked).await.expect("records can be read");
    assert_eq!(found.into_iter().map(|found| found.header.key).collect::<BTreeSet<_>>(), keys);
}
