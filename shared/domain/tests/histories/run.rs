//! A run's history: anything that may happen to it, in any order.

use dacapo_domain::{
    AttemptEnd, AttemptError, AttemptOutcome, Change, Debounce, Decision, DecisionContext, Edge, Effect, Id, Input,
    Json, LifecycleEvent, Machine, NewRun, Phase, Policy, Progress, Purpose, RunRecord, Signal, State, Task, Trigger,
    Version, Wait, WaitLoopCall, Work, limits,
    run::{ExecutionEnd, Facts, Key, PhaseName, answer},
    seconds,
};
use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    rules::{Checked, check},
    start,
};

/// The next thing to happen, as far as it doesn't depend on the record.
#[derive(Clone, Debug)]
enum Happening {
    Delivered { stale: bool },
    Undelivered,
    WaitLoopCalled { former: bool, round: u32 },
    WaitLoopAnswered { round: u32 },
    WaitLoopCrashed,
    ExecutionEnded(u8),
    Done,
    Continue(u64),
    Await { until: Option<u64> },
    Signalled,
    Fail { terminal: bool },
    AbortedByItself,
    LateOutcome,
    Progressed,
    Extended(u64),
    AbortRequested,
    PauseRequested,
    ResumeRequested,
    Rescheduled(u64),
    Debounced(u64),
    Reconciled(Facts),
    EndHooksDone,
}

fn happening() -> impl Strategy<Value = Happening> {
    let facts = prop_oneof![
        Just(Facts::Nothing),
        any::<bool>().prop_map(Facts::Backlog),
        any::<bool>().prop_map(Facts::Executing)
    ];
    let round = || prop_oneof![Just(0), Just(limits::LOOP_ROUNDS)];
    prop_oneof![
        4 => any::<bool>().prop_map(|stale| Happening::Delivered { stale }),
        1 => Just(Happening::Undelivered),
        4 => (any::<bool>(), round()).prop_map(|(former, round)| Happening::WaitLoopCalled { former, round }),
        2 => round().prop_map(|round| Happening::WaitLoopAnswered { round }),
        1 => Just(Happening::WaitLoopCrashed),
        1 => (0..3_u8).prop_map(Happening::ExecutionEnded),
        1 => Just(Happening::Done),
        4 => prop_oneof![Just(0), 1..100_u64, Just(355 * 86_400), Just(356 * 86_400)].prop_map(Happening::Continue),
        3 => prop::option::of(0..4_000_u64).prop_map(|until| Happening::Await { until }),
        3 => Just(Happening::Signalled),
        3 => any::<bool>().prop_map(|terminal| Happening::Fail { terminal }),
        1 => Just(Happening::AbortedByItself),
        1 => Just(Happening::LateOutcome),
        1 => Just(Happening::Progressed),
        1 => (1..900_u64).prop_map(Happening::Extended),
        1 => Just(Happening::AbortRequested),
        1 => Just(Happening::PauseRequested),
        1 => Just(Happening::ResumeRequested),
        1 => (0..4_000_u64).prop_map(Happening::Rescheduled),
        2 => (1..4_000_u64).prop_map(Happening::Debounced),
        3 => facts.prop_map(Happening::Reconciled),
        2 => Just(Happening::EndHooksDone),
    ]
}

fn call(run: &RunRecord, former: bool, round: u32) -> WaitLoopCall {
    let first = WaitLoopCall::first(run, start());
    WaitLoopCall { generation: first.generation - u32::from(former && first.generation > 0), round, ..first }
}

fn approved() -> Signal {
    Signal::Token { name: "approve".to_owned() }
}

fn done() -> AttemptOutcome {
    AttemptOutcome::Done { result: Ok(Json::default()), message: None }
}

fn input(run: &RunRecord, happening: &Happening, now: Timestamp) -> Input {
    let token = run.lease().map_or(Version(0), |lease| lease.token);
    let ended = |outcome| Input::AttemptEnded(AttemptEnd::new(token, outcome, seconds(1)));
    match happening {
        Happening::Delivered { stale } => {
            Input::Delivered(Purpose { attempt: run.attempt + u32::from(*stale), ..run.purpose() })
        }
        Happening::Undelivered => Input::Undelivered(run.purpose()),
        Happening::WaitLoopCalled { former, round } => Input::WaitLoopCalled(call(run, *former, *round)),
        Happening::WaitLoopAnswered { round } => Input::WaitLoopAnswered(call(run, false, *round)),
        Happening::WaitLoopCrashed => Input::WaitLoopCrashed(call(run, false, 1), "out of memory".to_owned()),
        Happening::ExecutionEnded(how) => Input::ExecutionEnded(
            run.invoker.generation(),
            match how {
                0 => ExecutionEnd::Stopped,
                1 => ExecutionEnd::Exhausted,
                _ => ExecutionEnd::Failed("States.DataLimitExceeded".to_owned()),
            },
        ),
        Happening::Done => ended(done()),
        Happening::Continue(s) => {
            ended(AttemptOutcome::Continue { input: Json::default(), wait: Wait::After(seconds(*s)) })
        }
        Happening::Await { until } => {
            let wait = Wait::Token { run: run.id, name: "approve".to_owned(), until: until.map(|s| now + seconds(s)) };
            ended(AttemptOutcome::Continue { input: Json::default(), wait })
        }
        Happening::Signalled => Input::Signalled(approved()),
        Happening::Fail { terminal: true } => ended(AttemptOutcome::Failed(AttemptError::terminal("ERROR", "no"))),
        Happening::Fail { terminal: false } => {
            ended(AttemptOutcome::Failed(AttemptError::retryable("ERROR", "not yet")))
        }
        Happening::AbortedByItself => ended(AttemptOutcome::Aborted),
        Happening::LateOutcome => {
            Input::AttemptEnded(AttemptEnd::new(Version(token.0.wrapping_add(1)), done(), seconds(0)))
        }
        Happening::Progressed => Input::Progressed(token, Progress { message: "half".to_owned(), fraction: 0.5 }),
        Happening::Extended(s) => Input::Extended(token, seconds(*s)),
        Happening::AbortRequested => Input::AbortRequested("enough".to_owned()),
        Happening::PauseRequested => Input::PauseRequested,
        Happening::ResumeRequested => Input::ResumeRequested,
        Happening::Rescheduled(s) => Input::Rescheduled(now + seconds(*s)),
        Happening::Debounced(s) => Input::Debounced { body: Json::default(), due_at: now + seconds(*s) },
        Happening::Reconciled(facts) => Input::Reconciled(*facts),
        Happening::EndHooksDone => Input::EndHooksDone { published: now.as_second() % 2 == 0 },
    }
}

/// The rules of runs alone.
fn check_run(
    run: &RunRecord,
    happening: &Happening,
    known: bool,
    next: &Decision<RunRecord>,
    cx: &DecisionContext,
) -> Checked {
    let after = &next.record;
    let stores = next.change == Change::Store;
    prop_assert_eq!(after.expires_at_s.is_some(), after.phase.is_final(), "what has ended expires, and nothing else");
    // One invoker.
    prop_assert!(after.invoker.generation() >= run.invoker.generation());
    if next.effects.iter().any(|effect| matches!(effect, Effect::StartWaitLoop { .. })) {
        prop_assert!(after.invoker.generation() > run.invoker.generation(), "each start has its own generation");
    }
    // An attempt is taken by one, when it is due; so are the hooks of the end.
    if matches!(next.work, Some(Work::CallHandler)) {
        prop_assert!(!run.is_paused(), "nothing new starts");
        prop_assert!(cx.now >= run.due_at, "a handler never starts before its time");
        prop_assert_eq!(after.phase.name(), PhaseName::Running);
    }
    if matches!(next.work, Some(Work::CallHandler | Work::RunEndHooks)) {
        let takes = stores && after.lease().is_some_and(|lease| lease.token == cx.version());
        prop_assert!(takes, "work is done under a lease of its own");
        let ends = !run.phase.is_final() && after.phase.is_final();
        prop_assert!(ends || !run.is_leased(cx.now), "no other process holds it");
        prop_assert!(after.bears(after));
    }
    // Named for one purpose.
    let stale = matches!(happening, Happening::Delivered { stale: true } | Happening::LateOutcome);
    if stale && known && !run.phase.is_final() {
        prop_assert!(!stores, "what doesn't match the record changes nothing");
    }
    // An abort wins over every outcome but done.
    let is_extension = matches!(happening, Happening::Extended(_));
    if run.abort().is_some() && stores && after.lease() != run.lease() && !is_extension {
        let state = after.state_at(cx.now);
        prop_assert!(matches!(state, State::Aborted | State::Completed | State::Failed), "{}", state);
        prop_assert!(state != State::Completed || matches!(happening, Happening::Done));
    }
    // The answer to the wait loop is a function of the record.
    if !after.invoker.is_queue() {
        let call = call(after, false, 3);
        prop_assert_eq!(answer(after, &call, cx.now), answer(after, &call, cx.now));
    }
    Ok(())
}

/// Drives a run by nothing but the conductor, the clock, what the effects bring about and a person who resumes it, until
/// it is settled.
fn repair(mut run: RunRecord, policy: Option<&Policy>, mut now: Timestamp, mut random: u64) -> Checked {
    let task = Task::from(policy);
    for _ in 0..200 {
        // Also where a crash has used its attempts up meanwhile.
        if run.is_paused() {
            run = run.decide(&Input::ResumeRequested, task, &DecisionContext { now, random }).record;
        }
        let Some(reconcile_at) = run.reconcile_at else { return Ok(()) };
        now = now.max(reconcile_at);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // The conductor spreads an abort first, which is all that some are overdue for.
        run = run.decide(&Input::ChildrenAborted, task, &DecisionContext { now, random }).record;
        if run.reconcile_at.is_none_or(|at| at > now) {
            continue;
        }
        random = random.wrapping_add(11);
        let facts = if run.invoker.is_queue() { Facts::Backlog(false) } else { Facts::Executing(false) };
        let awaits = matches!(run.phase, Phase::Awaiting { .. }) && policy.is_some();
        // The conductor looks, and finds that the token was completed.
        let input = if awaits { Input::Signalled(approved()) } else { Input::Reconciled(facts) };
        let decision = run.decide(&input, task, &DecisionContext { now, random });
        run = decision.record;
        if decision.work == Some(Work::PublishLifecycle) {
            run = run.decide(&Input::EndHooksDone { published: true }, task, &DecisionContext { now, random }).record;
        }
        // What the effects bring: the message arrives, the wait loop calls, the handler succeeds, the hooks run.
        for effect in decision.effects {
            random = random.wrapping_add(1);
            now = now.max(run.due_at);
            let input = match effect {
                Effect::Send { .. } => Input::Delivered(run.purpose()),
                Effect::StartWaitLoop { call, .. } => Input::WaitLoopCalled(call),
                _ => continue,
            };
            let mut decision = run.decide(&input, task, &DecisionContext { now, random });
            if decision.work == Some(Work::CallHandler) {
                let token = decision.record.lease().unwrap().token;
                let ended = Input::AttemptEnded(AttemptEnd::new(token, done(), seconds(1)));
                let cx = DecisionContext { now, random: random.wrapping_add(7) };
                decision = decision.record.decide(&ended, task, &cx);
            }
            if matches!(decision.work, Some(Work::RunEndHooks | Work::PublishLifecycle)) {
                let cx = DecisionContext { now, random: random.wrapping_add(9) };
                decision = decision.record.decide(&Input::EndHooksDone { published: true }, task, &cx);
            }
            run = decision.record;
        }
    }
    Err(TestCaseError::fail(format!("still unsettled: {run:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn run_of_any_history_keeps_the_rules_and_is_driven_to_its_end_by_the_conductor(
        delay_s in prop_oneof![Just(0), 1..900_u64, Just(5_000_u64)],
        has_end_hooks in any::<bool>(),
        is_subscribed in any::<bool>(),
        pauses_when_exhausted in any::<bool>(),
        batch in 1..3_u32,
        removed in prop::bool::weighted(0.05),
        ttl in prop::option::weighted(0.3, 1..5_000_u64),
        direct in prop::bool::weighted(0.1),
        debounced in prop::option::weighted(0.3, prop::option::of(1..9_000_u64)),
        steps in prop::collection::vec((happening(), 0..2_000_u64, any::<u64>()), 0..40),
    ) {
        let limits = Policy { max_iterations: Some(5), max_duration: Some(seconds(20)), ..Policy::default() };
        let publishes = LifecycleEvent::ALL.into_iter().filter(|_| is_subscribed).collect();
        let policy = Policy { batch, has_end_hooks, pauses_when_exhausted, publishes, ..limits };
        let mut now = start();
        let new = NewRun::at(Id::new(now, 7), "import", now + seconds(delay_s), Trigger::Run);
        let key = debounced.map(|max_s| {
            let latest = max_s.map(|max_s| now + seconds(delay_s + max_s));
            let debounce = Some(Debounce { edge: Edge::Trailing, latest, last_call: None });
            Key { text: "k".to_owned(), until: now + seconds(delay_s), debounce }
        });
        let new = NewRun { key, ttl: ttl.map(seconds), execution: direct.then(|| "by-hand".to_owned()), ..new };
        let made = RunRecord::create(new, &DecisionContext { now, random: 1 });
        prop_assert_eq!(made.record.reconcile_at, made.record.earliest_repair(now));
        let mut run = made.record;
        let count = steps.len();
        for (number, (happening, passed_s, random)) in steps.into_iter().enumerate() {
            now += seconds(passed_s);
            let cx = DecisionContext { now, random };
            let known = (!removed || number < count / 2).then_some(&policy);
            let input = input(&run, &happening, now);
            let decision = run.decide(&input, Task::from(known), &cx);
            check(&run, &input, &decision, &cx)?;
            check_run(&run, &happening, known.is_some(), &decision, &cx)?;
            run = decision.record;
        }
        repair(run, (!removed).then_some(&policy), now, 99)?;
    }
}
