//! The life of a run: the rules that hold over every transition, whatever happens in whatever order.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::time::Duration;

use dacapo_domain::{
    Decision, Driver, Effect, Event, ExecutionEnd, Facts, Failed, Id, Json, LoopCall, Moment, NewRun, Outcome, Policy,
    Progress, Purpose, Run, State, Trigger, Version, Wait, decide, limits,
    run::{answer, due_look},
};
use jiff::Timestamp;
use proptest::prelude::*;

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn new_run(delay_s: u64, ttl: Option<Duration>, direct_loop: bool) -> NewRun {
    NewRun {
        id: Id::new(start(), 7),
        name: "import".to_owned(),
        due_at: start() + Duration::from_secs(delay_s),
        trigger: Trigger::Run,
        parent_id: None,
        hops: 0,
        tags: vec![],
        key: None,
        schedule: None,
        ttl,
        execution: direct_loop.then(|| "by-hand".to_owned()),
    }
}

/// What happens next, as far as it doesn't depend on the record.
#[derive(Clone, Debug)]
enum Happening {
    Delivered { stale: bool },
    LoopCalled { former: bool, round: u32 },
    LoopAnswered { round: u32 },
    LoopCrashed,
    Undelivered,
    Done,
    Continue(u64),
    Fail { terminal: bool },
    AbortedByItself,
    LateOutcome,
    Progressed,
    Extended(u64),
    Aborted,
    Rescheduled(u64),
    Looked(Facts),
    LoopEnded(u8),
    Settled,
}

fn happening() -> impl Strategy<Value = Happening> {
    let facts = prop_oneof![
        Just(Facts::Nothing),
        any::<bool>().prop_map(Facts::Backlog),
        any::<bool>().prop_map(Facts::Executing)
    ];
    prop_oneof![
        4 => any::<bool>().prop_map(|stale| Happening::Delivered { stale }),
        4 => (any::<bool>(), prop_oneof![Just(0), Just(limits::LOOP_ROUNDS)])
            .prop_map(|(former, round)| Happening::LoopCalled { former, round }),
        2 => prop_oneof![Just(0), Just(limits::LOOP_ROUNDS)].prop_map(|round| Happening::LoopAnswered { round }),
        1 => Just(Happening::LoopCrashed),
        1 => Just(Happening::Undelivered),
        1 => Just(Happening::Done),
        4 => prop_oneof![Just(0), 1..100_u64, Just(355 * 86_400), Just(356 * 86_400)].prop_map(Happening::Continue),
        3 => any::<bool>().prop_map(|terminal| Happening::Fail { terminal }),
        1 => Just(Happening::AbortedByItself),
        1 => Just(Happening::LateOutcome),
        1 => Just(Happening::Progressed),
        1 => (1..900_u64).prop_map(Happening::Extended),
        1 => Just(Happening::Aborted),
        1 => (0..4_000_u64).prop_map(Happening::Rescheduled),
        3 => facts.prop_map(Happening::Looked),
        1 => (0..3_u8).prop_map(Happening::LoopEnded),
        2 => Just(Happening::Settled),
    ]
}

fn call(run: &Run, former: bool, round: u32) -> LoopCall {
    let first = LoopCall::first(run, start());
    LoopCall { generation: first.generation - u32::from(former && first.generation > 0), round, ..first }
}

fn happen(run: &Run, happening: &Happening, policy: Option<&Policy>, moment: &Moment) -> Decision {
    let token = run.lease.map_or(Version(0), |lease| lease.token);
    let ended = |outcome| Event::Ended { token, outcome, spent: Duration::from_secs(1) };
    let (called, crash);
    let event = match happening {
        Happening::Delivered { stale } => {
            Event::Delivered(Purpose { attempt: run.attempt + u32::from(*stale), ..run.purpose() })
        }
        Happening::LoopCalled { former, round } => {
            called = call(run, *former, *round);
            Event::LoopCalled(&called)
        }
        Happening::LoopAnswered { round } => {
            called = call(run, false, *round);
            Event::LoopAnswered(&called)
        }
        Happening::LoopCrashed => {
            crash = call(run, false, 1);
            Event::LoopCrashed(&crash, "out of memory".to_owned())
        }
        Happening::Undelivered => Event::Undelivered(run.purpose()),
        Happening::Done => ended(Outcome::Done { result: Ok(Json::default()), message: None }),
        Happening::Continue(s) => {
            ended(Outcome::Continue { input: Json::default(), wait: Wait::After(Duration::from_secs(*s)) })
        }
        Happening::Fail { terminal: true } => ended(Outcome::Failed(Failed::terminal("ERROR", "no"))),
        Happening::Fail { terminal: false } => ended(Outcome::Failed(Failed::retryable("ERROR", "not yet"))),
        Happening::AbortedByItself => ended(Outcome::Aborted),
        Happening::LateOutcome => Event::Ended {
            token: Version(token.0.wrapping_add(1)),
            outcome: Outcome::Done { result: Ok(Json::default()), message: None },
            spent: Duration::ZERO,
        },
        Happening::Progressed => Event::Progressed(token, Progress { message: "half".to_owned(), fraction: 0.5 }),
        Happening::Extended(s) => Event::Extended(token, Duration::from_secs(*s)),
        Happening::Aborted => Event::Aborted("enough".to_owned()),
        Happening::Rescheduled(s) => Event::Rescheduled(moment.now + Duration::from_secs(*s)),
        Happening::Looked(facts) => Event::Looked(*facts),
        Happening::LoopEnded(how) => Event::LoopEnded(
            run.generation,
            match how {
                0 => ExecutionEnd::Stopped,
                1 => ExecutionEnd::Exhausted,
                _ => ExecutionEnd::Failed("States.DataLimitExceeded".to_owned()),
            },
        ),
        Happening::Settled => Event::Settled,
    };
    decide(run, event, policy, moment)
}

/// What holds of every single decision.
fn check(run: &Run, happening: &Happening, known: bool, next: &Decision, moment: &Moment) -> Result<(), TestCaseError> {
    let now = moment.now;
    let after = &next.run;
    if !next.write {
        prop_assert_eq!(run, after, "nothing is to be stored, so nothing has changed");
        prop_assert!(next.input.is_none() && next.result.is_none());
    } else {
        prop_assert_eq!(after.version, moment.version(), "each write leaves a version of its own");
    }
    // The table.
    prop_assert!(run.state == after.state || run.state.may_become(after.state), "{} → {}", run.state, after.state);
    if run.state.is_final() {
        prop_assert_eq!(run.state, after.state, "a final state never changes");
    }
    // Watched until settled.
    let unsettled = !after.state.is_final() || after.owes;
    prop_assert_eq!(after.watch_at.is_some(), unsettled, "what is unsettled is watched, and nothing else");
    if let (Some(watch_at), true, false) = (after.watch_at, next.write, matches!(happening, Happening::Looked(_))) {
        let starts = next.effects.contains(&Effect::StartLoop).then_some(now + limits::LOOP_GRACE);
        let latest = starts.or(due_look(after, now)).unwrap();
        prop_assert!(watch_at <= latest, "watched at {watch_at}, could need repair at {latest}");
        if let Some(before) = run.watch_at {
            prop_assert!(watch_at <= before, "only the conductor raises the watch");
        }
    }
    if let Happening::Looked(_) = happening {
        prop_assert!(
            after.watch_at.is_none_or(|at| at > now) || after.state.is_final() || next.effects != vec![],
            "a look leaves a later one"
        );
    }
    // One driver.
    prop_assert!(after.generation >= run.generation);
    if next.effects.contains(&Effect::StartLoop) {
        prop_assert!(after.generation > run.generation, "each start has a generation of its own");
        prop_assert_eq!(after.driver, Driver::Loop);
    }
    // An attempt is taken by one, when it is due.
    if next.effects.contains(&Effect::Handle) {
        prop_assert!(now >= run.due_at, "a handler never starts before its time");
        prop_assert!(!run.is_held(now), "nobody else holds the attempt");
        prop_assert_eq!(after.lease.unwrap().token, moment.version());
        prop_assert_eq!(after.state, State::Running);
    }
    // Named for one purpose.
    let stale = matches!(happening, Happening::Delivered { stale: true } | Happening::LateOutcome);
    if stale && known && !run.owes {
        prop_assert!(!next.write, "what doesn't match the record changes nothing");
    }
    // An abort wins over every outcome but done.
    if run.abort.is_some()
        && run.state == State::Running
        && next.write
        && after.lease != run.lease
        && !matches!(happening, Happening::Extended(_))
    {
        prop_assert!(matches!(after.state, State::Aborted | State::Completed | State::Failed), "{}", after.state);
        prop_assert!(after.state != State::Completed || matches!(happening, Happening::Done));
    }
    // What the loop is told is a function of the record.
    if after.driver == Driver::Loop {
        let call = call(after, false, 3);
        prop_assert_eq!(answer(after, &call, now), answer(after, &call, now));
    }
    Ok(())
}

/// Drives a run by nothing but the conductor, the clock and what the effects bring about, until it is settled.
fn repair(mut run: Run, policy: Option<&Policy>, mut now: Timestamp, mut random: u64) -> Result<(), TestCaseError> {
    for _ in 0..200 {
        let Some(watch_at) = run.watch_at else { return Ok(()) };
        now = now.max(watch_at);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let facts = match run.driver {
            Driver::Queue => Facts::Backlog(false),
            Driver::Loop => Facts::Executing(false),
        };
        let mut decision = decide(&run, Event::Looked(facts), policy, &Moment { now, random });
        run = decision.run;
        // What the effects bring: the message arrives, the loop calls, the handler succeeds, the hooks run.
        for effect in decision.effects.clone() {
            random = random.wrapping_add(1);
            now = now.max(run.due_at);
            let moment = Moment { now, random };
            decision = match effect {
                Effect::Send(_) => decide(&run, Event::Delivered(run.purpose()), policy, &moment),
                Effect::StartLoop => decide(&run, Event::LoopCalled(&LoopCall::first(&run, now)), policy, &moment),
                _ => continue,
            };
            run = decision.run.clone();
            if decision.effects.contains(&Effect::Handle) {
                let token = run.lease.unwrap().token;
                let outcome = Outcome::Done { result: Ok(Json::default()), message: None };
                let ended = Event::Ended { token, outcome, spent: Duration::from_secs(1) };
                decision = decide(&run, ended, policy, &Moment { now, random: random.wrapping_add(7) });
                run = decision.run.clone();
            }
            if decision.effects.contains(&Effect::Settle) {
                run = decide(&run, Event::Settled, policy, &Moment { now, random: random.wrapping_add(9) }).run;
            }
        }
    }
    Err(TestCaseError::fail(format!("still unsettled: {run:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_over_every_transition_and_no_run_is_ever_stuck(
        delay_s in prop_oneof![Just(0), 1..900_u64, Just(5_000_u64)],
        has_end_hooks in any::<bool>(),
        removed in prop::bool::weighted(0.05),
        expires in prop::option::weighted(0.3, 1..5_000_u64),
        direct_loop in prop::bool::weighted(0.1),
        steps in prop::collection::vec((happening(), 0..2_000_u64, any::<u64>()), 0..40),
    ) {
        let policy = Policy { has_end_hooks, max_iterations: Some(5), max_duration: Some(Duration::from_secs(20)), ..Policy::default() };
        let mut now = start();
        let made = Run::create(new_run(delay_s, expires.map(Duration::from_secs), direct_loop), &Moment { now, random: 1 });
        prop_assert!(made.run.watch_at.is_some());
        let mut run = made.run;
        let steps_taken = steps.len();
        for (number, (happening, passes_s, random)) in steps.into_iter().enumerate() {
            now += Duration::from_secs(passes_s);
            let moment = Moment { now, random };
            let known = (!removed || number < steps_taken / 2).then_some(&policy);
            let decision = happen(&run, &happening, known, &moment);
            check(&run, &happening, known.is_some(), &decision, &moment)?;
            run = decision.run;
        }
        repair(run, (!removed).then_some(&policy), now, 99)?;
    }
}

#[test]
fn what_is_sent_again_and_still_not_taken_is_called_by_the_loop_which_knows_why() {
    let policy = Policy { retry: dacapo_domain::Retry::attempts(1), ..Policy::default() };
    let mut now = start();
    let mut look = |run: &Run| {
        now = now.max(run.watch_at.unwrap());
        decide(run, Event::Looked(Facts::Backlog(false)), Some(&policy), &Moment { now, random: 2 })
    };
    let made = Run::create(new_run(0, None, false), &Moment { now: start(), random: 1 });
    let first = look(&made.run);
    assert_eq!((first.run.driver, first.effects), (Driver::Queue, vec![Effect::Send(Duration::ZERO)]));
    let second = look(&first.run);
    assert_eq!((second.run.driver, second.effects), (Driver::Loop, vec![Effect::StartLoop]));

    let call = LoopCall::first(&second.run, now);
    let crash = Event::LoopCrashed(&call, "Runtime.ExitError".to_owned());
    let ended = decide(&second.run, crash, Some(&policy), &Moment { now, random: 3 }).run;
    assert_eq!((ended.state, ended.error.unwrap().code), (State::Failed, "CRASHED".to_owned()));
}

#[test]
fn a_message_that_was_never_taken_is_sent_afresh_while_its_run_waits_for_it() {
    let (policy, moment) = (Policy::default(), Moment { now: start(), random: 2 });
    let run = Run::create(new_run(0, None, false), &Moment { now: start(), random: 1 }).run;
    let effects = |run: &Run, purpose| decide(run, Event::Undelivered(purpose), Some(&policy), &moment).effects;
    assert_eq!(effects(&run, run.purpose()), vec![Effect::Send(Duration::ZERO)]);
    assert_eq!(effects(&run, Purpose { attempt: 2, ..run.purpose() }), vec![]);
    let aborted = decide(&run, Event::Aborted("enough".to_owned()), Some(&policy), &moment).run;
    assert_eq!(effects(&aborted, aborted.purpose()), vec![]);
}
