//! Histories of the other kinds: deferred events, schedules, idempotency keys, the manifest.

use dacapo_domain::{
    Debounce, DecisionContext, DeferredEvent, DeferredEventInput, Edge, EventMessage, Id, IdempotencyKey,
    IdempotencyKeyInput, Json, Machine, Manifest, ManifestInput, ManifestRecord, NewRun, NewToken, RunRecord, Schedule,
    ScheduleInput, SchedulePut, ScheduleRecord, Secret, TokenInput, TokenRecord, Trigger, Work, every, run::Key,
    seconds,
};
use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    rules::{Checked, Ruled, check},
    start,
};

/// Lets everything happen in turn, and checks each decision.
fn live<M>(mut record: M, steps: Vec<(M::Input, u64, u64)>) -> Result<M, TestCaseError>
where
    M: Ruled + for<'a> Machine<Policy<'a> = ()>,
{
    let mut now = start();
    for (input, passed_s, random) in steps {
        now += seconds(passed_s);
        let cx = DecisionContext { now, random };
        let decision = record.decide(&input, (), &cx);
        check(&record, &input, &decision, &cx)?;
        record = decision.record;
    }
    Ok(record)
}

fn steps<I: std::fmt::Debug>(input: impl Strategy<Value = I>) -> impl Strategy<Value = Vec<(I, u64, u64)>> {
    prop::collection::vec((input, 0..10_000_u64, any::<u64>()), 0..40)
}

fn deferred_input() -> impl Strategy<Value = DeferredEventInput> {
    use DeferredEventInput::{Arrived, Published, Reconciled};
    prop_oneof![
        6 => Just(Arrived),
        1 => Just(Published),
        1 => (500_000..600_000_u64).prop_map(|due_s| {
            DeferredEventInput::PublishedAgain { published_at: start(), due_at: start() + seconds(due_s) }
        }),
        6 => any::<bool>().prop_map(|backlog| Reconciled { backlog }),
    ]
}

/// Drives a deferred event by nothing but the conductor and what its messages bring about, until it is published.
fn publish(mut event: DeferredEvent) -> Checked {
    for random in 0..20 {
        let Some(now) = event.reconcile_at else { return Ok(()) };
        let cx = DecisionContext { now, random };
        let decision = event.decide(&DeferredEventInput::Reconciled { backlog: false }, (), &cx);
        event = decision.record;
        if !decision.effects.is_empty() {
            let arrived = event.decide(&DeferredEventInput::Arrived, (), &cx);
            prop_assert_eq!(arrived.work, Some(Work::Publish));
            event = event.decide(&DeferredEventInput::Published, (), &cx).record;
        }
    }
    Err(TestCaseError::fail(format!("still deferred: {event:?}")))
}

fn schedule() -> impl Strategy<Value = Schedule> {
    (1..4_u32, any::<bool>()).prop_map(|(hours, skips)| {
        let schedule = every(format!("{hours} hours"));
        if skips { schedule.skip_while_running() } else { schedule }
    })
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (0..20_u64).prop_map(|hour| start() + seconds(hour * 3_600))
}

fn schedule_input() -> impl Strategy<Value = ScheduleInput> {
    let run = |time| dacapo_domain::fire_id("nightly", time);
    let last = || prop::option::of(moment().prop_map(run));
    let fired = (moment(), schedule(), any::<bool>(), last(), any::<bool>()).prop_map(
        move |(time, schedule, is_there, last_run, is_unfinished)| {
            let run = run(time);
            ScheduleInput::Fired { time, run, schedule, is_there, last_run, is_unfinished }
        },
    );
    let task = || prop_oneof![Just("import".to_owned()), Just("export".to_owned())];
    prop_oneof![
        2 => (task(), schedule()).prop_map(|(task, schedule)| {
            ScheduleInput::Put(SchedulePut { task, schedule, body: Json::default() })
        }),
        1 => moment().prop_map(ScheduleInput::Scheduled),
        1 => Just(ScheduleInput::Reconciled),
        1 => (task(), any::<bool>(), moment())
            .prop_map(|(task, is_same, at)| ScheduleInput::Declared { task, is_same, at }),
        1 => Just(ScheduleInput::Paused),
        1 => Just(ScheduleInput::Resumed),
        4 => fired,
        1 => prop::collection::vec(moment(), 0..5).prop_map(ScheduleInput::Missed),
        1 => Just(ScheduleInput::Deleted),
        1 => Just(ScheduleInput::Unscheduled),
        1 => moment().prop_map(ScheduleInput::Used),
    ]
}

fn run(random: u128) -> Id {
    Id::new(start(), random)
}

fn key(debounce: Option<Debounce>) -> IdempotencyKey {
    let key = Key { text: "k".to_owned(), until: start() + seconds(100), debounce };
    let new = NewRun { key: Some(key), ..NewRun::at(run(1), "import", start(), Trigger::Run) };
    let cx = DecisionContext { now: start(), random: 1 };
    let claim = IdempotencyKey::claim(&RunRecord::create(new, &cx).record, None, &cx).unwrap().unwrap();
    claim.write.document.parse().unwrap()
}

fn deployed(made_ms: i64) -> ManifestInput {
    let manifest = Manifest { made_ms, ..Manifest::new("shop", vec![]).unwrap() };
    ManifestInput::Deployed { manifest, text: Json::default(), former: None }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deferred_event_of_any_history_keeps_the_rules_and_is_published_in_the_end(
        delay_s in 0..10_000_u64,
        steps in steps(deferred_input()),
    ) {
        let event = EventMessage::at(run(9), "user.joined", Json::default(), start());
        let event = EventMessage { due_at: start() + seconds(delay_s), ..event };
        let created = DeferredEvent::create(&event, &DecisionContext { now: start(), random: 1 });
        publish(live(created.record, steps)?)?;
    }

    #[test]
    fn schedule_of_any_history_keeps_the_rules(steps in steps(schedule_input())) {
        live(ScheduleRecord::fresh("nightly", "import", start()), steps)?;
    }

    #[test]
    fn idempotency_key_of_any_history_keeps_the_rules(
        latest in prop::option::of(prop::option::of(100..9_000_u64)),
        steps in steps(prop_oneof![
            (0..3_u128, 0..3_i64).prop_map(|(number, expires_at_s)| {
                IdempotencyKeyInput::RunEnded { run: run(number), expires_at_s }
            }),
            (0..9_000_u64).prop_map(|s| IdempotencyKeyInput::Called(start() + seconds(s))),
        ]),
    ) {
        let debounce = latest.map(|latest| {
            let latest = latest.map(|latest| start() + seconds(latest));
            Debounce { edge: Edge::Leading, latest, last_call: None }
        });
        let key = live(key(debounce), steps)?;
        prop_assert!(debounce.is_some_and(|debounce| debounce.bounded(key.until) == key.until) || debounce.is_none());
    }

    #[test]
    fn manifest_of_any_history_keeps_the_rules_and_is_the_newest_that_was_deployed(
        steps in steps((0..100_i64).prop_map(deployed)),
    ) {
        let newest = steps.iter().map(|(ManifestInput::Deployed { manifest, .. }, ..)| manifest.made_ms).max();
        let record = live(ManifestRecord::fresh(), steps)?;
        prop_assert_eq!(record.made_ms, newest.unwrap_or(i64::MIN));
    }

    #[test]
    fn token_of_any_history_is_completed_once_or_over(
        until in prop::option::of(0..100_000_u64),
        steps in steps(prop_oneof![
            1 => (0..9_u32).prop_map(|value| TokenInput::Completed(Json::of(&value).unwrap())),
            2 => Just(TokenInput::Asked),
        ]),
    ) {
        let (now, until) = (start(), until.map(|s| start() + seconds(s)));
        let cx = DecisionContext { now, random: 1 };
        let expires_at_s = now.as_second() + 86_400;
        let new = NewToken { run: Id::new(now, 7), name: "approve", secret: Secret::new(8), until, expires_at_s };
        let made = TokenRecord::create(&new, &cx);
        live(made.record, steps)?;
    }
}
