//! Stored and sent forms as recorded texts: each must be read for ever, and is written like this by version 1.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Debug, fs, path::Path};

use dacapo_domain::{
    Bulk, DeferredEvent, DeliveryRecord, IdempotencyKey, Invocation, Invoker, JoinRecord, Json, Manifest,
    ManifestRecord, Message, PausedQueues, Phase, Policy, PoolRecord, RunMessage, RunRecord, ScheduleRecord,
    StepRecord, TicketRecord, TokenRecord, WaitLoopAnswer, read_document,
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn recorded(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(format!("{name}.json"));
    fs::read_to_string(file).unwrap().trim_end().to_owned()
}

/// Reads a recorded text, writes it to the letter, and reads it with fields that a later version may add.
fn holds<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str) -> T {
    let text = recorded(name);
    let value: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), text, "{name}");
    let mut newer: Value = serde_json::from_str(&text).unwrap();
    extend(&mut newer);
    let read: T = serde_json::from_value(newer).unwrap();
    // An old writer takes off what a newer one has added, so that each field is one that may be missing.
    assert_eq!(serde_json::to_string(&read).unwrap(), text, "{name}");
    assert_eq!(read, value, "{name}");
    value
}

/// The fields without which a text can't be read.
fn required<T: DeserializeOwned>(name: &str) -> Vec<String> {
    let whole: Value = serde_json::from_str(&recorded(name)).unwrap();
    let mut places = vec![];
    fields(&whole, "", &mut places);
    let is_required = |place: &String| {
        let mut without = whole.clone();
        let (within, field) = place.rsplit_once('/').unwrap();
        without.pointer_mut(within).unwrap().as_object_mut().unwrap().remove(field);
        serde_json::from_value::<T>(without).is_err()
    };
    places.into_iter().filter(is_required).collect()
}

/// The places of all fields but those within what users give.
fn fields(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| fields(item, &format!("{place}/{n}"), found))
        }
        Value::Object(of) => {
            for (name, inner) in of {
                let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
                found.push(place.clone());
                if !["body", "environment", "secrets"].contains(&name.as_str()) {
                    fields(inner, &place, found);
                }
            }
        }
        _ => {}
    }
}

/// Adds a field to each object that is ours to extend: not to a form's name or a user's body.
fn extend(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(extend),
        Value::Object(fields) => {
            const TAGS: [&str; 16] = [
                "task",
                "events",
                "running",
                "ended",
                "waitLoop",
                "handling",
                "retrying",
                "givenUp",
                "awaiting",
                "token",
                "queue",
                "completed",
                "parked",
                "abort",
                "replay",
                "redrive",
            ];
            // A filter with a condition that this version doesn't know is refused, not read without it.
            const CLOSED: [&str; 5] = ["body", "environment", "secrets", "runs", "deliveries"];
            let names_a_form = fields.keys().all(|key| key.contains('/') || TAGS.contains(&key.as_str()));
            for (_, inner) in fields.iter_mut().filter(|(key, _)| !CLOSED.contains(&key.as_str())) {
                extend(inner);
            }
            if !names_a_form || fields.is_empty() {
                fields.insert("later".to_owned(), json!({ "added": [1, null] }));
            }
        }
        _ => {}
    }
}

/// The names of the recorded texts in a folder.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn run_as_it_was_written_before_times_were_numbers_is_read_as_the_same() {
    let (former, recorded_now) = (names("tests/recorded/former"), names("tests/recorded"));
    assert!(former.len() >= 10 && former.iter().all(|name| recorded_now.contains(name)), "{former:?}");
    for name in former {
        let former: RunRecord = serde_json::from_str(&recorded(&format!("former/{name}"))).unwrap();
        assert_eq!(former, serde_json::from_str(&recorded(&name)).unwrap(), "{name}");
    }
}

#[test]
fn recorded_form_of_every_kind_is_read_and_written_back_equal() {
    for name in names("tests/recorded") {
        match name.split('-').next().unwrap() {
            "message" => {
                let form = format!("{{\"{}\":", holds::<Message>(&name).form());
                assert!(recorded(&name).starts_with(&form), "{name} is no {form}");
            }
            "invocation" => drop(holds::<Invocation>(&name)),
            "answer" => drop(holds::<WaitLoopAnswer>(&name)),
            "run" => drop(holds::<RunRecord>(&name)),
            "delivery" => drop(holds::<DeliveryRecord>(&name)),
            "deferred" => drop(holds::<DeferredEvent>(&name)),
            "step" => drop(holds::<StepRecord>(&name)),
            "schedule" => drop(holds::<ScheduleRecord>(&name)),
            "join" => drop(holds::<JoinRecord>(&name)),
            "token" => drop(holds::<TokenRecord>(&name)),
            "key" => drop(holds::<IdempotencyKey>(&name)),
            "deployed" => drop(holds::<ManifestRecord>(&name)),
            "manifest" => drop(holds::<Manifest>(&name)),
            "pool" => drop(holds::<PoolRecord>(&name)),
            "ticket" => drop(holds::<TicketRecord>(&name)),
            "paused" => drop(holds::<PausedQueues>(&name)),
            "bulk" => drop(holds::<Bulk>(&name)),
            other => panic!("nothing is recorded as {other}"),
        }
    }
}

/// A new reader and old data: what this version demands was always there. `tests/required.txt` never gets a line for a
/// text that is there; `DACAPO_WRITE=REQUIRED` before the test's command writes it anew.
#[test]
fn field_without_which_a_form_can_t_be_read_was_there_from_the_first_version() {
    let mut all = String::new();
    let mut names = names("tests/recorded");
    names.sort();
    for name in names {
        let required = match name.split('-').next().unwrap() {
            "message" => required::<Message>(&name),
            "invocation" => required::<Invocation>(&name),
            "answer" => required::<WaitLoopAnswer>(&name),
            "run" => required::<RunRecord>(&name),
            "delivery" => required::<DeliveryRecord>(&name),
            "deferred" => required::<DeferredEvent>(&name),
            "step" => required::<StepRecord>(&name),
            "schedule" => required::<ScheduleRecord>(&name),
            "join" => required::<JoinRecord>(&name),
            "token" => required::<TokenRecord>(&name),
            "key" => required::<IdempotencyKey>(&name),
            "deployed" => required::<ManifestRecord>(&name),
            "manifest" => required::<Manifest>(&name),
            "pool" => required::<PoolRecord>(&name),
            "ticket" => required::<TicketRecord>(&name),
            "paused" => required::<PausedQueues>(&name),
            "bulk" => required::<Bulk>(&name),
            other => panic!("nothing is recorded as {other}"),
        };
        required.into_iter().for_each(|place| all += &format!("{name} {place}\n"));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/required.txt");
    if std::env::var("DACAPO_WRITE").is_ok_and(|what| what == "REQUIRED") {
        fs::write(&file, &all).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let demanded: Vec<&str> = all.lines().filter(|line| !kept.lines().any(|known| known == *line)).collect();
    assert!(demanded.is_empty(), "texts of former versions have no such field: {demanded:#?}");
    assert_eq!(kept, all, "less is demanded than before: write tests/required.txt anew");
}

#[test]
fn form_of_a_later_version_is_refused_and_one_that_says_none_is_of_the_first() {
    let run = recorded("run-new");
    let read = |text: String| read_document::<RunRecord>(&Json::from_text(text).unwrap());
    assert_eq!(read(run.clone()).unwrap(), serde_json::from_str(&run).unwrap());
    assert_eq!(read(run.replacen('{', "{\"v\":1,", 1)).unwrap(), serde_json::from_str(&run).unwrap());
    let of_a_text = read(run.replace("import airports", r#"say \"v\":2"#)).unwrap();
    assert_eq!(of_a_text.name, "say \"v\":2");
    let later = read(run.replacen('{', "{\"v\":2,", 1)).unwrap_err().to_string();
    let why = "its form is of version 2 (this build reads version 1: deploy the newer one)";
    assert!(later.starts_with(why), "{later}");
    let manifest = recorded("manifest").replacen("\"v\":1", "\"v\":2", 1);
    let later = serde_json::from_str::<Manifest>(&manifest).unwrap_err().to_string();
    assert!(later.starts_with(why), "{later}");
}

/// A new reader and old data: what is optional may be missing.
#[test]
fn optional_field_of_an_old_form_may_be_missing() {
    let run: RunRecord = serde_json::from_str(&recorded("run-new")).unwrap();
    assert_eq!(
        (run.phase, run.invoker, run.revision, run.hops, run.handler_ms),
        (Phase::Queued, Invoker::default(), 0, 0, 0)
    );
    assert_eq!((run.started_at, run.expires_at_s, run.tags.len(), run.reconcile_count), (None, None, 0, 0));
    let ended: RunRecord = serde_json::from_str(&recorded("run-completed")).unwrap();
    let Phase::Ended(end) = ended.phase else { panic!("an ended run") };
    assert_eq!((end.hooks_pending, end.hooks_lease, end.message, end.result_left_out), (false, None, None, None));
    let mut schedule: Value = serde_json::from_str(&recorded("schedule-declared")).unwrap();
    schedule.as_object_mut().unwrap().remove("skipped");
    assert_eq!(serde_json::from_value::<ScheduleRecord>(schedule).unwrap().skipped.iter().count(), 0);

    assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
    let bare: Manifest = serde_json::from_str(r#"{"v":1,"app":"sample","functions":[]}"#).unwrap();
    assert_eq!(bare.made_ms, 0);
    let mut start: Value = serde_json::from_str(&recorded("invocation-start")).unwrap();
    start["start/1"].as_object_mut().unwrap().remove("body");
    let Invocation::Start(start) = serde_json::from_value(start).unwrap() else { panic!("a start") };
    assert_eq!(start.body, Json::default());
}

#[test]
fn start_of_an_execution_is_told_in_milliseconds_or_as_text() {
    let by_hand = holds::<Message>("message-ended-started");
    let text = recorded("message-ended-started").replace("1551225271984", "\"2019-02-26T23:54:31.984Z\"");
    assert_eq!(Message::from_text(&text).unwrap(), by_hand);
    let start =
        r#"{"task":"a","execution":"6b1a3a5e-0000-4000-8000-000000000000","started":"2019-02-26T23:54:31.984Z"}"#;
    let run = serde_json::from_str::<dacapo_domain::Start>(start).unwrap().run();
    let (Message::ExecutionEnded(by_hand), Message::ExecutionEnded(own), Message::ExecutionEnded(old)) =
        (by_hand, holds("message-ended"), Message::from_text(&text.replace("started", "later")).unwrap())
    else {
        panic!("ends of executions")
    };
    assert_eq!(by_hand.run(), Some((run, 1)), "the run that its start made");
    assert_eq!(own.run(), Some(("01KDW28FR0PHTWHA1GN83GZ2QM".parse().unwrap(), 2)));
    assert_eq!(old.run(), None);
}

#[test]
fn message_of_an_unknown_version_is_refused() {
    for text in [r#"{"run/2":{}}"#, "{}", "[]", "null", r#"{"fire/1":{"schedule":"a"}}"#] {
        assert!(Message::from_text(text).is_err(), "{text}");
    }
}

/// SQS refuses them; escaped, they arrive.
#[test]
fn message_with_characters_that_sqs_refuses_escapes_them() {
    let odd = "a\u{fffe}b\u{ffff}c\u{fffd}";
    let Message::Event(mut event) = holds::<Message>("message-event") else { panic!("an event") };
    event.body = Json::of(&odd).unwrap();
    event.name = odd.to_owned();
    let text = Message::Event(event).to_text();
    assert!(!text.contains(['\u{fffe}', '\u{ffff}']) && text.contains('\u{fffd}'), "{text}");
    let Message::Event(back) = Message::from_text(&text).unwrap() else { panic!("an event") };
    assert_eq!((back.name.as_str(), back.body.parse::<String>().unwrap().as_str()), (odd, odd));
}

const OWN: [&str; 6] = ["loop/2", "loop/1", "crash/1", "start/1", "sweep/1", "deployed/1"];

#[test]
fn invocation_of_our_own_that_cannot_be_read_is_an_error_and_no_body() {
    for name in ["loop", "crash", "start", "sweep", "deployed"] {
        let call = Json::from_text(recorded(&format!("invocation-{name}"))).unwrap();
        assert!(matches!(Invocation::read(&call), Some(Ok(_))), "{name}");
        let broken = Json::from_text(format!(r#"{{"{name}/1":5}}"#)).unwrap();
        assert!(matches!(Invocation::read(&broken), Some(Err(_))), "{name}");
        let later = Json::from_text(format!(r#"{{"{name}/9":{{}}}}"#)).unwrap();
        assert!(Invocation::read(&later).is_none(), "{name}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![3 => prop::sample::select(OWN.to_vec()).prop_map(str::to_owned), 2 => "\\PC{0,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

#[test]
fn record_whose_trace_is_none_is_read_without_it() {
    let traced = recorded("run-traced");
    let read: RunRecord = serde_json::from_str(&traced.replace("00-5759", "nothing-")).unwrap();
    assert_eq!(read, serde_json::from_str(&recorded("run-new")).unwrap());
    let event = recorded("message-event-traced");
    let trace = Message::traceparent_in(&event).unwrap();
    assert_eq!(trace.trace_id(), "5759e988bd862e3fe1be46a994272793");
    for untraced in
        [event.replace("00-5759", "nothing-"), recorded("message-event"), r#"{"a":{"traceparent":""}}"#.to_owned()]
    {
        assert_eq!(Message::traceparent_in(&untraced), None, "{untraced}");
    }
    let run: RunRecord = serde_json::from_str(&traced).unwrap();
    let message = Message::Run(RunMessage::about(&run)).to_text();
    assert_eq!(Message::traceparent_in(&message), Some(trace));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invocation_without_exactly_one_key_of_our_own_is_a_body(value in any_json()) {
        let own = value.as_object().is_some_and(|fields| fields.len() == 1 && OWN.iter().any(|key| fields.contains_key(*key)));
        prop_assert_eq!(Invocation::read(&Json::of(&value).unwrap()).is_some(), own, "{}", value);
    }
}
