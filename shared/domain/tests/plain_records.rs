//! Records without a table: deferred events, idempotency keys, the manifest. All of their inputs, whatever they find.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

#[expect(dead_code, reason = "what these have in common needs no whole tape")]
mod tape;

use dacapo_domain::{
    CONDUCTOR, Debounce, DeferredEvent, DeferredEventInput, DeferredMessage, Edge, Effect, EventMessage, FinalState,
    FormerTask, FunctionEntry, Id, IdempotencyKey, IdempotencyKeyInput, Json, Machine, Manifest, ManifestInput,
    ManifestRecord, Message, NewRun, Phase, Policy, RunRecord, TaskEntry, Trigger, Version, Work, days, hash128,
    limits,
    run::{End, Key},
    slot,
};
use tape::{Case, Taped, at, context, driven, json, play, s, tape};

impl Taped for DeferredEvent {
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn phase_name(&self) -> String {
        if self.is_published { "Published" } else { "Deferred" }.to_owned()
    }

    fn input_name(input: &DeferredEventInput) -> String {
        format!("{input:?}")
    }
}

impl Taped for IdempotencyKey {
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn phase_name(&self) -> String {
        String::new()
    }

    fn input_name(input: &IdempotencyKeyInput) -> String {
        format!("{input:?}")
    }
}

impl Taped for ManifestRecord {
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn phase_name(&self) -> String {
        String::new()
    }

    fn input_name(input: &ManifestInput) -> String {
        format!("{input:?}")
    }
}

fn published(due: i64) -> EventMessage {
    let event = EventMessage::at(Id::new(at(0), 9), "user.joined", Json::default(), at(0));
    EventMessage { due_at: at(due), hops: 1, is_named: true, ..event }
}

/// Due in an hour.
fn deferred() -> DeferredEvent {
    DeferredEvent::create(&published(3_600), &context(0)).record
}

fn message(event: &DeferredEvent) -> Json {
    Message::Deferred(DeferredMessage { event: format!("{}/user.joined", event.event) }).to_json()
}

fn on_timer(event: &DeferredEvent) -> Effect {
    let timer = format!("event-{:032x}", hash128(&format!("{}/user.joined", event.event)));
    Effect::SendAt { timer, to: CONDUCTOR.to_owned(), message: message(event), at: event.due_at }
}

fn send(delay: u64) -> impl FnOnce(&DeferredEvent) -> Effect {
    move |event| Effect::Send { to: CONDUCTOR.to_owned(), message: message(event), delay: s(delay) }
}

fn of_deferred_events() -> Vec<Case<DeferredEvent>> {
    use DeferredEventInput::{Arrived, Published, Reconciled};
    let over = driven(&deferred(), 3_600, &Published, ());
    let again_at = |due| DeferredEventInput::PublishedAgain { published_at: at(5_000), due_at: at(due) };
    let again = |next: &mut DeferredEvent, reconcile| {
        next.reconcile_at = Some(at(reconcile));
        next.reconcile_count += 1;
    };
    let busy = driven(&deferred(), 3_660, &Reconciled { backlog: true }, ());
    vec![
        tape("a deferred event whose message is early waits on", &deferred())
            .at(100)
            .gets(&Arrived, ())
            .keeps()
            .effect(on_timer),
        tape("a deferred event whose message is a little early waits in the queue", &deferred())
            .at(3_000)
            .gets(&Arrived, ())
            .keeps()
            .effect(send(600)),
        tape("a deferred event that is due is published", &deferred())
            .at(3_600)
            .gets(&Arrived, ())
            .keeps()
            .then(Work::Publish),
        tape("a published event is kept for its history", &deferred()).at(3_601).gets(&Published, ()).stores(|next| {
            (next.is_published, next.reconcile_at) = (true, None);
            next.expires_at_s = Some((at(3_601) + limits::HISTORY).as_second() + 1);
        }),
        tape("a deferred event whose message is lost is sent again", &deferred())
            .at(3_660)
            .gets(&Reconciled { backlog: false }, ())
            .stores(|next| again(next, 3_720))
            .effect(send(0)),
        tape("a deferred event whose queue is busy waits for its turn", &deferred())
            .at(3_660)
            .gets(&Reconciled { backlog: true }, ())
            .stores(|next| again(next, 3_720)),
        tape("a deferred event whose queue is still busy is reconciled ever later", &busy)
            .at(3_720)
            .gets(&Reconciled { backlog: true }, ())
            .stores(|next| again(next, 3_840)),
        tape("a deferred event that is not due is reconciled after it is", &deferred())
            .at(100)
            .gets(&Reconciled { backlog: false }, ())
            .stores(|next| again(next, 3_660)),
        tape("the message of a published event is dropped", &over).at(3_700).gets(&Arrived, ()).keeps(),
        tape("an event published again before it was is the same", &deferred())
            .at(100)
            .gets(&again_at(7_200), ())
            .keeps(),
        tape("a published event that is published again is due again", &over)
            .at(5_000)
            .gets(&again_at(7_200), ())
            .stores(|next| {
                (next.is_published, next.expires_at_s) = (false, None);
                (next.published_at, next.due_at, next.reconcile_at) = (at(5_000), at(7_200), Some(at(7_260)));
            })
            .effect(on_timer),
        tape("an event is published once", &over).at(3_700).gets(&Published, ()).keeps(),
        tape("a published event needs no repair", &over).at(3_700).gets(&Reconciled { backlog: false }, ()).keeps(),
    ]
}

#[test]
fn deferred_event_of_every_case_is_decided_as_told() {
    play(of_deferred_events());
}

#[test]
fn deferred_event_is_created_with_what_brings_it_to_the_conductor() {
    let far = DeferredEvent::create(&published(3_600), &context(0));
    assert_eq!((far.record.reconcile_at, &*far.effects), (Some(at(3_660)), &[on_timer(&far.record)][..]));
    let near = DeferredEvent::create(&published(-5), &context(0));
    assert_eq!((near.record.reconcile_at, near.effects), (Some(at(60)), vec![send(0)(&near.record)]));
    assert_eq!(near.record.event_message(json("7")), EventMessage { body: json("7"), ..published(-5) });
}

fn holder(state: Option<FinalState>) -> RunRecord {
    holder_of(Key { text: "k".to_owned(), until: at(100), debounce: None }, state)
}

fn holder_of(key: Key, state: Option<FinalState>) -> RunRecord {
    let key = Some(key);
    let new = NewRun { key, ..NewRun::at(Id::new(at(0), 7), "import airports", at(0), Trigger::Run) };
    let mut run = RunRecord::create(new, &context(0)).record;
    if let Some(state) = state {
        let end =
            End { state, at: at(5), message: None, result_left_out: None, hooks_pending: false, hooks_lease: None };
        run.phase = Phase::Ended(end);
    }
    run
}

fn key() -> IdempotencyKey {
    claimed_by(&holder(None))
}

fn claimed_by(run: &RunRecord) -> IdempotencyKey {
    let claim = IdempotencyKey::claim(run, None, &context(0)).unwrap().unwrap();
    claim.write.document.parse().unwrap()
}

/// The key of a debounce that asks for quiet until 10, and until 30 at the latest.
fn leading() -> IdempotencyKey {
    let debounce = Some(Debounce { edge: Edge::Leading, latest: Some(at(30)), last_call: None });
    claimed_by(&holder_of(Key { text: "k".to_owned(), until: at(10), debounce }, None))
}

#[test]
fn key_of_a_debounce_of_every_case_is_decided_as_told() {
    let called = |until| IdempotencyKeyInput::Called(at(until));
    let second = |seconds| at(seconds).as_second();
    let ended = |expires_at_s| IdempotencyKeyInput::RunEnded { run: leading().run, expires_at_s };
    let over = driven(&leading(), 3, &ended(second(5)), ());
    play(vec![
        tape("a call while there is no quiet asks for more of it", &leading())
            .at(9)
            .gets(&called(19), ())
            .stores(|next| next.until = at(19)),
        tape("no call asks for quiet beyond the longest delay", &leading())
            .at(9)
            .gets(&called(100), ())
            .stores(|next| next.until = at(30)),
        tape("a call with a shorter delay takes nothing away", &leading()).at(5).gets(&called(7), ()).keeps(),
        tape("a call after the quiet is for another run", &leading()).at(10).gets(&called(20), ()).keeps(),
        tape("a key outlives its run's record as long as its debounce lasts", &leading())
            .at(3)
            .gets(&ended(second(5)), ())
            .stores(|next| next.expires_at_s = Some(second(11))),
        tape("a call moves the expiry of a key whose run has ended", &over)
            .at(9)
            .gets(&called(19), ())
            .stores(|next| (next.until, next.expires_at_s) = (at(19), Some(second(20)))),
        tape("a key of no debounce asks for no quiet", &key()).at(9).gets(&called(500), ()).keeps(),
    ]);
}

#[test]
fn key_of_a_debounce_absorbs_calls_until_its_quiet_and_is_apart_from_other_keys() {
    assert_eq!([9, 10].map(|now| leading().absorbs(at(now))), [true, false]);
    let keys = [None, Some(Edge::Leading), Some(Edge::Trailing)].map(|edge| IdempotencyKey::key_of("a", "k", edge));
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{keys:?}");
    assert_eq!(leading().header().key, IdempotencyKey::key_of("import airports", "k", Some(Edge::Leading)));
}

#[test]
fn delay_of_a_debounce_that_is_none_or_too_long_is_refused_with_what_is_allowed() {
    let refused = |delay, max_delay| Debounce::check(delay, max_delay).unwrap_err().to_string();
    let none = "debounce a run with a delay of 0ns (allowed: 1 ms to 355 days)";
    assert_eq!(refused(s(0), None), none);
    let long = format!("debounce a run with a delay of {:?} (allowed: 1 ms to 355 days)", days(356));
    assert_eq!(refused(days(356), None), long);
    let short = "debounce a run with a `max_delay` of 5s (allowed: its delay, 10s, or longer, to 355 days)";
    assert_eq!(refused(s(10), Some(s(5))), short);
    assert!(refused(s(10), Some(days(356))).starts_with("debounce a run with a `max_delay` of 30758400s (allowed:"));
    assert_eq!(Debounce::check(s(10), Some(s(10))), Ok(()));
    assert_eq!(Debounce::check(days(355), None), Ok(()));
}

#[test]
fn idempotency_key_of_every_case_is_decided_as_told() {
    let ended = |run, expires_at_s| IdempotencyKeyInput::RunEnded { run, expires_at_s };
    let expiring = driven(&key(), 5, &ended(key().run, 1_000), ());
    play(vec![
        tape("a key expires with its run's record", &key())
            .gets(&ended(key().run, 1_000), ())
            .stores(|next| next.expires_at_s = Some(1_000)),
        tape("a key that another run has taken over stays", &key()).gets(&ended(Id::new(at(0), 8), 1_000), ()).keeps(),
        tape("a key expires once", &expiring).gets(&ended(key().run, 1_000), ()).keeps(),
    ]);
}

#[test]
fn idempotency_key_is_free_as_its_holder_ended() {
    use FinalState::{Aborted, Completed, Expired, Failed};
    for (holder, before, after) in [
        (Some(holder(None)), false, false),
        (Some(holder(Some(Completed))), false, true),
        (Some(holder(Some(Aborted))), false, true),
        (Some(holder(Some(Failed))), true, true),
        (Some(holder(Some(Expired))), true, true),
        (None, true, true),
    ] {
        let free = [99, 100].map(|now| key().is_free(holder.as_ref(), at(now)));
        assert_eq!(free, [before, after], "{holder:?}");
    }
}

#[test]
fn idempotency_key_is_claimed_in_place_of_the_record_that_was_seen() {
    let first = IdempotencyKey::claim(&holder(None), None, &context(0)).unwrap().unwrap();
    assert_eq!((first.seen, first.write.header.expires_at_s), (None, None));
    let later = IdempotencyKey::claim(&holder(None), Some(&key()), &context(9)).unwrap().unwrap();
    assert_eq!((later.seen, later.write.header.version), (Some(key().version), context(9).version()));
    let without = RunRecord { key: None, ..holder(None) };
    assert!(IdempotencyKey::claim(&without, None, &context(0)).is_none());
    assert_ne!(IdempotencyKey::key_of("a/b", "c", None), IdempotencyKey::key_of("a", "b/c", None));
}

fn manifest(made_ms: i64, tasks: &[&str]) -> Manifest {
    let entry = |name: &&str| {
        let policy = Policy { history: s(86_400), ..Policy::default() };
        FunctionEntry::task(
            name,
            256,
            TaskEntry { name: (*name).to_owned(), policy, private: false, may_continue: true, schedules: vec![] },
        )
    };
    Manifest { made_ms, ..Manifest::new("shop", tasks.iter().map(entry).collect()).unwrap() }
}

fn deployed(made_ms: i64, tasks: &[&str], former: Option<Manifest>) -> ManifestInput {
    ManifestInput::Deployed { manifest: manifest(made_ms, tasks), text: json("1"), former }
}

fn former(name: &str, until: i64) -> FormerTask {
    FormerTask { name: name.to_owned(), until: at(until) }
}

#[test]
fn manifest_record_of_every_case_is_decided_as_told() {
    let first = driven(&ManifestRecord::fresh(), 5, &deployed(500, &["a", "b"], None), ());
    let without_b = deployed(600, &["a"], Some(manifest(500, &["a", "b"])));
    let second = driven(&first, 10, &without_b, ());
    play(vec![
        tape("a first manifest is stored", &ManifestRecord::fresh())
            .gets(&deployed(0, &["a"], None), ())
            .stores(|next| next.made_ms = 0)
            .with(slot::BODY, json("1")),
        tape("the same manifest is stored again", &first)
            .gets(&deployed(500, &["a", "b"], Some(manifest(500, &["a", "b"]))), ())
            .stores(|_| {})
            .with(slot::BODY, json("1")),
        tape("an older manifest that comes late is refused", &first).gets(&deployed(499, &["a"], None), ()).keeps(),
        tape("a newer manifest is stored, and a task that it lacks is remembered for its history", &first)
            .at(10)
            .gets(&without_b, ())
            .stores(|next| (next.made_ms, next.former_tasks) = (600, vec![former("b", 10 + 86_400)]))
            .with(slot::BODY, json("1")),
        tape("a former task is remembered over the next deploy", &second)
            .at(20)
            .gets(&deployed(700, &["a"], Some(manifest(600, &["a"]))), ())
            .stores(|next| next.made_ms = 700)
            .with(slot::BODY, json("1")),
        tape("a former task that comes back is no longer former", &second)
            .at(20)
            .gets(&deployed(700, &["a", "b"], Some(manifest(600, &["a"]))), ())
            .stores(|next| (next.made_ms, next.former_tasks) = (700, vec![]))
            .with(slot::BODY, json("1")),
        tape("a former task is forgotten after its history", &second)
            .at(11 + 86_400)
            .gets(&deployed(700, &["a"], Some(manifest(600, &["a"]))), ())
            .stores(|next| (next.made_ms, next.former_tasks) = (700, vec![]))
            .with(slot::BODY, json("1")),
    ]);
}
