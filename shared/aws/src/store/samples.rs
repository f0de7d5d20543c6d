//! Records for this crate's tests.

use dacapo_domain::{
    Delivery, EventMessage, Failure, Id, Json, Lease, Moment, NewRun, Progress, Run, State, Trigger, Version,
};
use jiff::Timestamp;

fn now() -> Timestamp {
    "2026-11-21T19:00:00.123Z".parse().unwrap()
}

fn id() -> Id {
    Id::new(now(), 7)
}

fn new() -> NewRun {
    NewRun {
        id: id(),
        name: "send-welcome".to_owned(),
        due_at: now(),
        trigger: Trigger::Run,
        parent_id: None,
        hops: 0,
        tags: vec![],
        key: None,
        schedule: None,
        ttl: None,
        execution: None,
    }
}

/// A run as a client starts it.
pub(super) fn run() -> Run {
    Run::create(new(), &Moment { now: now(), random: 1 }).run
}

/// The same, taken by a function.
pub(super) fn running() -> Run {
    let lease = Lease { token: Version(2), since: now(), until: now() + std::time::Duration::from_secs(40) };
    Run { state: State::Running, version: Version(2), started_at: Some(now()), lease: Some(lease), ..run() }
}

/// The same, failed.
pub(super) fn failed() -> Run {
    let error = Failure { stack: Some("because\nof that".to_owned()), ..Failure::new("ERROR", "it can't be sent") };
    Run {
        state: State::Failed,
        version: Version(3),
        ended_at: Some(now()),
        lease: None,
        watch_at: None,
        error: Some(error),
        ttl: Some(now().as_second() + 86_400),
        ..running()
    }
}

/// A run with everything that one can have.
fn full() -> Run {
    let parent_id = Some(Id::new(now(), 8));
    let tags = vec!["tenant:7".to_owned(), "".to_owned()];
    let (key, schedule) = (Some("welcome-7".to_owned()), Some("daily".to_owned()));
    let new = NewRun { parent_id, hops: 3, tags, key, schedule, execution: Some("by-hand".to_owned()), ..new() };
    let run = Run::create(new, &Moment { now: now(), random: u64::MAX }).run;
    let progress = Progress { message: "half".to_owned(), fraction: 0.1 + 0.2 };
    Run { progress: Some(progress), handler_ms: u64::from(u32::MAX), abort: Some("stop".to_owned()), ..run }
}

/// One of each kind.
pub(super) fn runs() -> Vec<Run> {
    vec![run(), running(), failed(), full()]
}

/// A delivery that has failed once.
pub(super) fn delivery() -> Delivery {
    let event = EventMessage {
        id: id(),
        function: "user-joined".to_owned(),
        name: "user.joined".to_owned(),
        body: Json::default(),
        published_at: now(),
        due_at: now(),
        hops: 0,
        attempt: 1,
    };
    Delivery::new(&event, &Moment { now: now(), random: 5 })
}
