//! A pool of permits: who has one, who comes next, and what the conductor makes of one that has stood for long.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::time::Duration;

use dacapo_domain::{
    CONDUCTOR, Change, Decision, DecisionContext, Effect, Holder, Id, Input, Json, Limit, Machine, NewRun, Policy,
    PoolId, PoolInput, PoolRecord, Rate, RunRecord, Task, TicketRecord, Trigger, Work,
    permit::{Finding, Permit},
    seconds,
};
use jiff::Timestamp;

const TWO: Limit = Limit { concurrency: Some(2), rate: None };

fn at(s: i64) -> Timestamp {
    Timestamp::from_second(1_772_366_400 + s).unwrap()
}

fn cx(s: i64) -> DecisionContext {
    DecisionContext { now: at(s), random: s.unsigned_abs() }
}

fn holder(n: u8) -> Holder {
    Holder { run: Id::new(at(0), n.into()), iteration: 1, attempt: 1, revision: 0 }
}

fn a_minute(starts: u32) -> Limit {
    Limit { concurrency: None, rate: Some(Rate { starts, per: seconds(60) }) }
}

/// The effect that calls the attempt of a number.
fn call(n: u8) -> Effect {
    Effect::Send { to: format!("f{n}"), message: Json::default(), delay: Duration::ZERO }
}

/// A pool as it goes on, under one limit.
struct Pool(PoolRecord, Limit);

impl Pool {
    fn of(limit: Limit) -> Self {
        Self(PoolRecord::fresh(PoolId::of_queue("mail")), limit)
    }

    fn gets(&mut self, input: &PoolInput, now: i64) -> Decision<PoolRecord> {
        let decision = self.0.decide(input, self.1, &cx(now));
        self.0 = decision.record.clone();
        decision
    }

    /// Asks without a ticket, then with one, and says whether there was a permit.
    fn asks(&mut self, n: u8, now: i64) -> bool {
        let asked = |has_ticket| PoolInput::Asked { holder: holder(n), until: at(now + 40), has_ticket };
        [false, true].into_iter().any(|ticket| self.gets(&asked(ticket), now).work == Some(Work::CallHandler))
    }

    /// These leave, those stand in line, and no other does.
    fn passes_on(&mut self, leaving: &[u8], line: &[u8], now: i64) -> Decision<PoolRecord> {
        let leaving = leaving.iter().map(|n| holder(*n)).collect();
        let next = line.iter().map(|n| (holder(*n), call(*n))).collect();
        self.gets(&PoolInput::PassedOn { leaving, next, are_all: true }, now)
    }

    fn holders(&self) -> Vec<u8> {
        (0..=u8::MAX).filter(|n| self.0.holds(holder(*n))).collect()
    }
}

#[test]
fn pool_whose_line_is_said_to_be_empty_is_looked_at_once_more_since_a_ticket_may_have_come() {
    let mut pool = Pool::of(TWO);
    let asked = |n, has_ticket| PoolInput::Asked { holder: holder(n), until: at(1_000), has_ticket };
    [asked(1, false), asked(2, false), asked(3, true)].iter().for_each(|asked| drop(pool.gets(asked, 0)));
    assert_eq!((pool.0.has_waiting, pool.0.reconcile_at), (true, Some(at(1_000))));
    pool.passes_on(&[], &[], 1);
    assert_eq!((pool.0.has_waiting, pool.0.reconcile_at), (false, Some(at(61))));
}

#[test]
fn attempt_has_a_permit_while_there_is_room_and_the_same_one_however_often_it_asks() {
    let mut pool = Pool::of(TWO);
    assert!(pool.asks(1, 0) && pool.asks(2, 0) && !pool.asks(3, 0) && pool.asks(1, 1));
    assert_eq!((pool.holders(), pool.0.has_waiting), (vec![1, 2], true));
    let again = pool.gets(&PoolInput::Asked { holder: holder(3), until: at(41), has_ticket: true }, 1);
    assert_eq!((again.change, again.work), (Change::Keep, None), "it was told before");
}

#[test]
fn attempt_that_comes_where_others_wait_is_not_let_past_them() {
    let mut pool = Pool::of(TWO);
    assert!(pool.asks(1, 0) && pool.asks(2, 0) && !pool.asks(3, 0));
    // The process that gave a permit back could not read the line.
    let left = PoolInput::PassedOn { leaving: vec![holder(1)], next: vec![], are_all: false };
    pool.gets(&left, 5);
    assert_eq!(pool.0.room(TWO, at(5)), 1);
    assert!(!pool.asks(4, 6));
    pool.passes_on(&[], &[3, 4], 6);
    assert_eq!((pool.holders(), pool.0.has_waiting), (vec![2, 3], true));
}

#[test]
fn permits_go_to_the_first_in_line_as_far_as_there_is_room() {
    let mut pool = Pool::of(TWO);
    assert!(pool.asks(1, 0) && pool.asks(2, 0) && !pool.asks(3, 0));
    assert_eq!(pool.passes_on(&[1], &[3, 4], 5).effects, [call(3)]);
    assert_eq!((pool.holders(), pool.0.has_waiting), (vec![2, 3], true));
    assert_eq!(pool.passes_on(&[], &[3, 4], 5).effects, [], "it was called when it was handed its permit");
    assert!(pool.asks(3, 6), "what it was promised it has");
    pool.passes_on(&[2, 3], &[4], 7);
    assert_eq!((pool.holders(), pool.0.has_waiting), (vec![4], false));
    pool.passes_on(&[4], &[], 9);
    assert_eq!(pool.0.expires_at_s, Some((at(9) + Duration::from_secs(3_600)).as_second()));
    assert_eq!(pool.passes_on(&[4], &[], 9).change, Change::Keep, "given back before");
}

#[test]
fn rate_counts_each_start_for_its_length_and_calls_for_the_next_by_a_message() {
    let mut pool = Pool::of(a_minute(2));
    assert!(pool.asks(1, 0) && pool.asks(2, 10) && !pool.asks(3, 20));
    assert_eq!(pool.holders(), Vec::<u8>::new(), "a start holds no place");
    assert_eq!(pool.0.called_at, Some(at(60)), "when the first start leaves the window");
    assert_eq!(pool.0.turns(&[], pool.1, at(59)), 0);
    let handed = pool.passes_on(&[], &[3, 4], 60);
    assert_eq!(pool.holders(), [3], "one at a time");
    let [called, Effect::Send { to, delay, .. }] = &handed.effects[..] else { panic!("{handed:#?}") };
    assert_eq!((called, &**to, *delay), (&call(3), CONDUCTOR, seconds(30)));
    assert_eq!(pool.0.room(pool.1, at(60)), 0, "what is promised counts before it has started");
    assert!(pool.asks(3, 61));
    assert_eq!((pool.0.room(pool.1, at(69)), pool.0.room(pool.1, at(70))), (0, 1));
}

#[test]
fn attempts_that_wait_for_a_rate_start_one_by_one_over_the_window() {
    let mut pool = Pool::of(a_minute(2));
    assert!(pool.asks(1, 0) && pool.asks(2, 0) && !pool.asks(3, 1) && !pool.asks(4, 1));
    assert_eq!(pool.0.room(pool.1, at(60)), 2, "both starts leave the window at once");
    pool.passes_on(&[], &[3, 4], 60);
    assert_eq!((pool.holders(), pool.0.called_at), (vec![3], Some(at(90))));
    pool.passes_on(&[], &[4], 89);
    assert_eq!(pool.holders(), [3]);
    pool.passes_on(&[], &[4], 90);
    assert_eq!(pool.holders(), [3, 4]);
}

#[test]
fn pool_whose_clock_is_put_back_by_an_hour_waits_for_none_of_the_times_that_were_set_before() {
    let mut pool = Pool::of(a_minute(1));
    assert!(pool.asks(1, 3_600) && !pool.asks(2, 3_601));
    pool.passes_on(&[], &[2, 3], 3_660);
    assert_eq!((pool.holders(), pool.0.called_at), (vec![2], Some(at(3_720))));
    assert!(pool.asks(2, 3_661));

    assert_eq!(pool.0.turns(&[], pool.1, at(30)), 1);
    pool.passes_on(&[], &[3], 30);
    assert!(pool.asks(3, 31));
    assert!(!pool.asks(4, 40), "what starts by the clock as it is now counts");
    assert_eq!((pool.0.turns(&[], pool.1, at(90)), pool.0.called_at), (0, Some(at(91))));
}

#[test]
fn paused_pool_gives_none_out_and_a_queue_without_limits_releases_a_page_a_second() {
    let mut pool = Pool::of(Limit::default());
    pool.gets(&PoolInput::Paused, 0);
    assert!(!pool.asks(1, 1));
    assert_eq!((pool.0.turns(&[], pool.1, at(1)), pool.0.reconcile_at), (0, None), "nothing watches it");
    let resumed = pool.gets(&PoolInput::Resumed, 9);
    assert!(matches!(&resumed.effects[..], [Effect::Send { to, .. }] if to == CONDUCTOR));
    assert_eq!(pool.0.turns(&[], pool.1, at(9)), 100);
    pool.passes_on(&[], &[1, 2], 9);
    assert_eq!((pool.0.turns(&[], pool.1, at(9)), pool.0.turns(&[], pool.1, at(10))), (0, 100));
}

#[test]
fn conductor_takes_a_permit_from_an_attempt_that_is_over_and_from_no_other() {
    let (policy, pool) = (Policy::default(), PoolId::of_queue("mail"));
    let task = Task::Known(&policy);
    let queued = RunRecord::create(NewRun::at(Id::new(at(0), 1), "print", at(0), Trigger::Run), &cx(0)).record;
    let then = |run: &RunRecord, input: &Input, now| run.decide(input, task, &cx(now)).record;
    let parked_at =
        |pool: &PoolId| Input::Parked { holder: queued.holder(), pool: pool.clone(), is_held: false, permits: vec![] };
    let parked = then(&queued, &parked_at(&pool), 1);
    let elsewhere = then(&queued, &parked_at(&PoolId::of_task("print")), 1);
    let running = then(&queued, &Input::Delivered(queued.purpose()), 1);
    let paused_while_running = then(&running, &Input::PauseRequested, 2);
    let paused = then(&parked, &Input::PauseRequested, 2);
    let aborted = then(&parked, &Input::AbortRequested("enough".to_owned()), 2);

    let mut record = PoolRecord::fresh(pool);
    record.permits = vec![Permit { holder: queued.holder(), reconcile_at: at(60), is_promised: false }];
    let find = |run: Option<&RunRecord>, now| record.find(queued.holder(), run, TWO, at(now));
    let in_an_hour = |now| Finding::Stays(at(now) + seconds(3_600));
    assert_eq!(find(Some(&queued), 90), in_an_hour(90), "its message is on its way");
    assert_eq!(find(Some(&elsewhere), 90), in_an_hour(90), "it waits for a later permit");
    assert_eq!(find(Some(&parked), 90), Finding::Called, "its message was lost");
    let lease = running.lease().unwrap().until;
    assert!(matches!(find(Some(&running), 5), Finding::Stays(until) if until > lease));
    assert!(matches!(find(Some(&paused_while_running), 5), Finding::Stays(_)), "what executes ends its attempt");
    for (over, now) in [(Some(&running), 90), (Some(&paused), 5), (Some(&aborted), 5), (None, 5)] {
        assert_eq!(find(over, now), Finding::Leaves, "{over:?}");
    }
}

#[test]
fn attempt_whose_start_was_counted_and_whose_process_died_gets_another_turn_within_minutes() {
    let (policy, limit) = (Policy::default(), a_minute(1));
    let queued = RunRecord::create(NewRun::at(Id::new(at(0), 2), "print", at(0), Trigger::Run), &cx(0)).record;
    let parked = Input::Parked { holder: holder(2), pool: PoolId::of_queue("mail"), is_held: false, permits: vec![] };
    let parked = queued.decide(&parked, Task::Known(&policy), &cx(1)).record;
    let taken = parked.decide(&Input::Delivered(parked.purpose()), Task::Known(&policy), &cx(62)).record;
    let paused = parked.decide(&Input::PauseRequested, Task::Known(&policy), &cx(62)).record;

    let mut pool = Pool::of(limit);
    assert!(pool.asks(1, 0) && !pool.asks(2, 1));
    pool.passes_on(&[], &[2], 60);
    assert!(pool.asks(2, 61));
    assert_eq!(pool.0.overdue(at(121)).collect::<Vec<_>>(), [holder(2)], "nothing else watches its run");
    let find = |run| pool.0.find(holder(2), Some(run), limit, at(121));
    assert_eq!(find(&parked), Finding::Returns, "its process died before it took the attempt");
    assert_eq!((find(&taken), find(&paused)), (Finding::Leaves, Finding::Leaves));

    let mut called_twice = Pool(pool.0.clone(), limit);
    assert!(!called_twice.asks(2, 70), "it starts no sooner than the rate allows");
    pool.gets(&PoolInput::Reconciled { leaving: vec![], staying: vec![], returning: vec![holder(2)] }, 121);
    assert!(pool.0.has_waiting);
    assert!(!pool.asks(3, 121), "none comes before it");
    pool.passes_on(&[], &[2], 121);
    assert!(pool.asks(2, 122));
}

#[test]
fn permit_that_stands_for_long_is_reconciled_then_and_only_the_conductor_puts_that_off() {
    let mut pool = Pool::of(TWO);
    assert!(pool.asks(1, 0) && pool.asks(2, 10));
    assert_eq!(pool.0.reconcile_at, Some(at(40)), "the first of them");
    pool.passes_on(&[1], &[], 20);
    assert_eq!(pool.0.reconcile_at, Some(at(40)));
    assert_eq!(pool.0.overdue(at(50)).collect::<Vec<_>>(), [holder(2)]);
    pool.gets(&PoolInput::Reconciled { leaving: vec![], staying: vec![(holder(2), at(500))], returning: vec![] }, 50);
    assert_eq!(pool.0.reconcile_at, Some(at(500)));
}

#[test]
fn pool_with_room_where_others_wait_is_looked_at_within_the_minute() {
    let mut pool = Pool::of(TWO);
    assert!(pool.asks(1, 0) && pool.asks(2, 0) && !pool.asks(3, 0));
    let later = [(holder(1), at(5_000)), (holder(2), at(5_000))];
    pool.gets(&PoolInput::Reconciled { leaving: vec![], staying: later.to_vec(), returning: vec![] }, 50);
    assert_eq!(pool.0.reconcile_at, Some(at(50 + 3_600)), "it is full");
    // The conductor dies before it passes on what one has left.
    pool.gets(
        &PoolInput::Reconciled { leaving: vec![holder(1)], staying: vec![(holder(2), at(5_000))], returning: vec![] },
        60,
    );
    assert_eq!(pool.0.reconcile_at, Some(at(120)));
}

#[test]
fn permit_that_was_put_off_while_its_attempt_was_on_its_way_is_looked_at_when_that_ones_lease_ends() {
    let mut pool = Pool::of(TWO);
    assert!(pool.asks(1, 0));
    pool.gets(
        &PoolInput::Reconciled { leaving: vec![], staying: vec![(holder(1), at(3_700))], returning: vec![] },
        100,
    );
    assert!(pool.asks(1, 150));
    assert_eq!((pool.holders(), pool.0.reconcile_at), (vec![1], Some(at(190))));
    let version = pool.0.version;
    assert!(pool.asks(1, 160));
    assert_eq!(pool.0.version, version, "asked again, it is not written");
}

#[test]
fn ticket_stands_in_line_by_the_time_at_which_its_attempt_was_due_less_its_head_start() {
    let ticket = |due, priority_s| {
        let new = NewRun::at(Id::new(at(0), 1), "print", at(due), Trigger::Run);
        let run = RunRecord::create(NewRun { priority_s, ..new }, &cx(0)).record;
        TicketRecord::create(&run, PoolId::of_task("print"), &cx(0)).record.place
    };
    assert!(ticket(10, 0) < ticket(11, 0) && ticket(300, 295) < ticket(10, 0));
}
