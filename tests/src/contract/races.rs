//! Races through [`commit()`]: the writer that loses decides again, and a lost reply is no lost race.

use dacapo_core::{
    commit::{self, Creation, Seen, commit},
    port::{PortErrorKind, PortResult, Ports},
};
use dacapo_domain::{Decision, RecordKey, slot};
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};

use super::{
    Bench,
    fixture::{PATIENCE, SILENCE, deadline, json, message, now, send, stored},
    meddled::{Mishap, lossy, meddled},
    note::{Note, NoteInput},
};

/// Another writer of a note, which adds a line whenever it comes.
fn other(key: RecordKey) -> impl Fn(Ports) -> BoxFuture<'static, ()> + Send + Sync + 'static {
    move |ports| {
        let key = key.clone();
        async move {
            let note = commit::load::<Note>(&ports, &key).await.unwrap().expect("the note is there");
            let until = ports.clock.now() + dacapo_domain::seconds(60);
            commit(&ports, note, &NoteInput::Add("other", vec![]), (), until).await.unwrap();
        }
        .boxed()
    }
}

async fn lines(bench: &impl Bench, note: &Note) -> Vec<String> {
    let note = commit::load::<Note>(&bench.ports(), &note.key()).await.unwrap().expect("the note is there");
    note.record.texts().into_iter().map(str::to_owned).collect()
}

/// Adds a line while this goes wrong, and gives what is on the note then.
async fn added(bench: &impl Bench, plan: &[Mishap]) -> Vec<String> {
    let note = stored(bench, Note::new(bench)).await;
    let ports = meddled(bench.ports(), plan.iter().copied(), other(note.key()));
    let input = NoteInput::Add("mine", vec![]);
    let committed = commit(&ports, Seen::Stored(note.clone()), &input, (), deadline(bench)).await;
    let committed = committed.unwrap().expect("the note is there");
    assert!(committed.changed);
    let lines = lines(bench, &note).await;
    assert_eq!(committed.record.texts(), lines);
    lines
}

/// Ten writers at once: each line is there, once.
pub async fn ten_writers_of_one_record_lose_nothing(bench: &impl Bench) {
    let texts = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let note = stored(bench, Note::new(bench)).await;
    let (ports, until) = (bench.ports(), deadline(bench));
    let writers = texts.map(|text| {
        let (ports, note) = (&ports, note.clone());
        async move { commit(ports, Seen::Stored(note), &NoteInput::Add(text, vec![]), (), until).await }
    });
    for committed in join_all(writers).await {
        assert!(committed.unwrap().is_some_and(|committed| committed.changed));
    }
    let mut lines = lines(bench, &note).await;
    lines.sort_unstable();
    assert_eq!(lines, texts);
}

/// The loser decides again with the record that won, as often as it takes.
pub async fn writer_that_loses_decides_again(bench: &impl Bench) {
    assert_eq!(added(bench, &[Mishap::OtherFirst]).await, ["other", "mine"]);
    assert_eq!(added(bench, &[Mishap::OtherFirst; 3]).await, ["other", "other", "other", "mine"]);
}

/// A throttled write is tried again, and stored once.
pub async fn write_that_is_throttled_is_tried_again(bench: &impl Bench) {
    assert_eq!(added(bench, &[Mishap::Throttled; 2]).await, ["mine"]);
}

/// A write whose reply is lost is recognised by its version.
pub async fn write_whose_reply_is_lost_is_done_once(bench: &impl Bench) {
    assert_eq!(added(bench, &[Mishap::ReplyLost]).await, ["mine"]);
    assert_eq!(added(bench, &[Mishap::ReplyLost; 2]).await, ["mine"]);
}

/// One that another writer has built on meanwhile is recognised by the mark it bears.
pub async fn write_whose_reply_is_lost_before_a_later_write_is_done_once(bench: &impl Bench) {
    assert_eq!(added(bench, &[Mishap::ReplyLostThenOther]).await, ["mine", "other"]);
    let twice = [Mishap::OtherFirst, Mishap::ReplyLostThenOther];
    assert_eq!(added(bench, &twice).await, ["other", "mine", "other"]);
}

/// A create whose reply is lost is new, also where it has been built on meanwhile.
pub async fn create_whose_reply_is_lost_is_new(bench: &impl Bench) {
    let note = Note::new(bench);
    let decision = Decision::store(note.clone(), vec![]).with(slot::BODY, json("1"));
    let ports = lossy(bench.ports(), [Mishap::ReplyLost]);
    let created = commit::create(&ports, &decision, deadline(bench)).await.unwrap();
    assert!(matches!(created, Creation::New));

    let fresh = Note::new(bench);
    let ports = meddled(bench.ports(), [Mishap::ReplyLostThenOther], other(fresh.key()));
    let seen = Seen::Fresh(fresh.clone(), dacapo_domain::Payloads::none());
    commit(&ports, seen, &NoteInput::Add("mine", vec![]), (), deadline(bench)).await.unwrap();
    assert_eq!(lines(bench, &fresh).await, ["mine", "other"]);
}

/// A deletion whose reply is lost is done.
pub async fn deletion_whose_reply_is_lost_is_done(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    let ports = lossy(bench.ports(), [Mishap::ReplyLost]);
    let torn = commit(&ports, Seen::Stored(note.clone()), &NoteInput::Tear(vec![]), (), deadline(bench)).await;
    assert!(torn.unwrap().is_some_and(|torn| torn.changed));
    assert_eq!(bench.ports().records.load(&note.key()).await.unwrap(), None);
}

/// A deletion that another writer came before is decided again.
pub async fn deletion_that_loses_is_decided_again(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    let ports = meddled(bench.ports(), [Mishap::OtherFirst], other(note.key()));
    let torn = commit(&ports, Seen::Stored(note.clone()), &NoteInput::Tear(vec![]), (), deadline(bench)).await;
    assert!(torn.unwrap().is_some_and(|torn| torn.changed));
    assert_eq!(bench.ports().records.load(&note.key()).await.unwrap(), None);
}

/// Once its time is over, a write that is throttled is an error.
pub async fn write_that_is_throttled_for_too_long_is_an_error(bench: &impl Bench) {
    let note = stored(bench, Note::new(bench)).await;
    let ports = lossy(bench.ports(), [Mishap::Throttled]);
    let late: PortResult<_> = commit(&ports, Seen::Stored(note), &NoteInput::Add("late", vec![]), (), now(bench)).await;
    assert_eq!(late.unwrap_err().kind(), PortErrorKind::Transient);
}

/// The effects of a decision that lost don't happen; those of the one that is stored do.
pub async fn effects_of_the_decision_that_is_stored_happen_alone(bench: &impl Bench) {
    let function = bench.function("reader").await;
    let note = stored(bench, Note::new(bench)).await;
    let ports = meddled(bench.ports(), [Mishap::OtherFirst], other(note.key()));
    let input = NoteInput::Add("mine", vec![send(&function, "mine")]);
    commit(&ports, Seen::Stored(note), &input, (), deadline(bench)).await.unwrap();
    assert_eq!(bench.receive_within(&function, 1, PATIENCE).await, [message("mine")]);
    bench.pass(SILENCE).await;
    assert_eq!(bench.receive(&function).await, []);
}
