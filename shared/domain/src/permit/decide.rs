//! The decisions about a pool: who gets a permit, who waits, and what calls those that waited.

use jiff::Timestamp;

use super::{Holder, Limit, Permit, PoolId, PoolRecord};
use crate::{
    CONDUCTOR, Decision, DecisionContext, Effect, Header, Machine, Message, PoolMessage, Work, hash128, later,
    limits as bounds,
};

/// An input of a pool.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolInput {
    /// An attempt is about to be taken.
    Asked {
        /// The attempt.
        holder: Holder,
        /// The time at which its lease will have ended.
        until: Timestamp,
        /// Is true where its ticket stands beside the pool.
        has_ticket: bool,
    },
    /// Attempts give their permits back, and what is free is handed to those that come first.
    PassedOn {
        /// The attempts.
        leaving: Vec<Holder>,
        /// Those that come first, in their order, each with what calls it.
        next: Vec<(Holder, Effect)>,
        /// Is true where no others wait.
        are_all: bool,
    },
    /// The queue is paused.
    Paused,
    /// The queue is resumed.
    Resumed,
    /// The conductor has found what became of attempts whose time had come.
    Reconciled {
        /// Those that need no permit any more.
        leaving: Vec<Holder>,
        /// Those that do, and when to look again.
        staying: Vec<(Holder, Timestamp)>,
        /// Those whose tickets stand in line again.
        returning: Vec<Holder>,
    },
}

/// The time after which an attempt that was called is called again.
const CALL_AGAIN: std::time::Duration = bounds::QUEUE_GRACE;

impl Machine for PoolRecord {
    const KIND: &'static str = PoolId::KIND;
    type Input = PoolInput;
    type Policy<'a> = Limit;

    fn header(&self) -> Header {
        Header {
            key: self.id.record_key(),
            version: self.version,
            reconcile_at: self.reconcile_at,
            expires_at_s: self.expires_at_s,
        }
    }

    fn decide(&self, input: &PoolInput, limit: Limit, cx: &DecisionContext) -> Decision<Self> {
        let pool = self.as_of(limit, cx.now);
        match input {
            PoolInput::Asked { holder, until, has_ticket } => pool.asked(*holder, *until, *has_ticket, limit, cx),
            PoolInput::PassedOn { leaving, next, are_all } => pool.passed_on(leaving, next, *are_all, limit, cx),
            PoolInput::Paused => pool.paused(limit, cx),
            PoolInput::Resumed => pool.resumed(limit, cx),
            PoolInput::Reconciled { leaving, staying, returning } => {
                pool.reconciled(leaving, staying, returning, limit, cx)
            }
        }
    }
}

impl PoolRecord {
    fn asked(
        &self,
        holder: Holder,
        until: Timestamp,
        has_ticket: bool,
        limit: Limit,
        cx: &DecisionContext,
    ) -> Decision<Self> {
        let mut next = self.clone();
        next.permits.retain(|permit| permit.holder != holder || !limit.is_start(permit)); // It has no other.
        let has_waited = next.holds(holder);
        if let Some(permit) = next.permits.iter_mut().find(|permit| permit.holder == holder) {
            // One that was looked at while its attempt was on its way is looked at again when that one's lease ends.
            if (!permit.is_promised || limit.rate.is_none()) && permit.reconcile_at <= until {
                return Decision::keep(self, vec![]).then(Work::CallHandler);
            }
            let counts = permit.is_promised;
            (permit.is_promised, permit.reconcile_at) = (false, until);
            if !counts {
                return next.stored(limit, cx).then(Work::CallHandler);
            }
        } else if !self.has_waiting && self.room(limit, cx.now) > 0 {
            next.permits.push(Permit { holder, reconcile_at: until, is_promised: false });
        } else if has_ticket && !self.has_waiting {
            return Self { has_waiting: true, ..next }.stored(limit, cx);
        } else {
            return Decision::keep(self, vec![]);
        }
        if limit.is_none() {
            return Decision::keep(self, vec![]).then(Work::CallHandler); // Its queue is not paused, or not any more.
        }
        if let Some(rate) = limit.rate {
            next.starts.add(rate, cx.now);
        }
        next.keep_start(holder, has_waited, limit, cx.now);
        next.stored(limit, cx).then(Work::CallHandler)
    }

    /// Keeps the permit of an attempt that has waited for a while, of the last ones at least: nothing else watches its run until
    /// the attempt is taken. Any other permit, where a rate alone limits, counts as a start and holds no place.
    fn keep_start(&mut self, holder: Holder, has_waited: bool, limit: Limit, now: Timestamp) {
        let starts = self.permits.iter().filter(|permit| limit.is_start(permit)).count();
        let is_kept = has_waited && starts <= bounds::POOL_PAGE as usize;
        self.permits.retain(|permit| is_kept || permit.holder != holder || !limit.is_start(permit));
        for permit in self.permits.iter_mut().filter(|permit| permit.holder == holder && limit.is_start(permit)) {
            permit.reconcile_at = later(now, CALL_AGAIN);
        }
    }

    fn passed_on(
        &self,
        leaving: &[Holder],
        waiting: &[(Holder, Effect)],
        are_all: bool,
        limit: Limit,
        cx: &DecisionContext,
    ) -> Decision<Self> {
        let turns = self.turns(leaving, limit, cx.now);
        let mut next = self.clone();
        next.permits.retain(|permit| !leaving.contains(&permit.holder));
        // One that holds a permit already was called by whoever handed it that.
        let handed: Vec<_> = waiting.iter().filter(|(holder, _)| !next.holds(*holder)).take(turns).collect();
        let (reconcile_at, is_promised) = (later(cx.now, CALL_AGAIN), true);
        next.permits.extend(handed.iter().map(|(holder, _)| Permit { holder: *holder, reconcile_at, is_promised }));
        if !handed.is_empty() {
            next.handed_at = Some(cx.now);
        }
        let is_left = waiting.iter().any(|(holder, _)| !next.holds(*holder));
        next.has_waiting = is_left || self.has_waiting && !are_all;
        if self.has_waiting && !next.has_waiting {
            // A ticket may have come since the line was read, and its process has seen that others wait. Who passes permits
            // on looks again, unless it dies before.
            let again = later(cx.now, CALL_AGAIN);
            next.reconcile_at = Some(next.reconcile_at.map_or(again, |at| at.min(again)));
        }
        let calls = handed.into_iter().map(|(_, call)| call.clone()).collect::<Vec<_>>();
        let mut decision = next.stored_if_changed(self, limit, cx);
        decision.effects.splice(0..0, calls);
        decision
    }

    fn reconciled(
        &self,
        leaving: &[Holder],
        staying: &[(Holder, Timestamp)],
        returning: &[Holder],
        limit: Limit,
        cx: &DecisionContext,
    ) -> Decision<Self> {
        let mut next = Self { reconcile_at: None, ..self.clone() }; // Only the conductor raises it.
        next.permits.retain(|permit| !leaving.contains(&permit.holder) && !returning.contains(&permit.holder));
        next.has_waiting |= !returning.is_empty();
        for permit in &mut next.permits {
            if let Some((_, until)) = staying.iter().find(|(holder, _)| *holder == permit.holder) {
                permit.reconcile_at = *until;
            }
        }
        next.stored(limit, cx)
    }

    fn paused(&self, limit: Limit, cx: &DecisionContext) -> Decision<Self> {
        match self.paused_at {
            Some(_) => Decision::keep(self, vec![]),
            None => Self { paused_at: Some(cx.now), ..self.clone() }.stored(limit, cx),
        }
    }

    fn resumed(&self, limit: Limit, cx: &DecisionContext) -> Decision<Self> {
        match self.paused_at {
            Some(_) => Self { paused_at: None, ..self.clone() }.stored(limit, cx),
            None => Decision::keep(self, vec![]),
        }
    }

    fn stored_if_changed(self, former: &Self, limit: Limit, cx: &DecisionContext) -> Decision<Self> {
        let calls_again = self.next_turn(limit, cx.now).is_some() && self.called_at.is_none_or(|at| at <= cx.now);
        if self == *former && !calls_again { Decision::keep(former, vec![]) } else { self.stored(limit, cx) }
    }

    /// Stores a changed pool. Where time alone makes room for those that wait, a message to the conductor calls for them.
    fn stored(mut self, limit: Limit, cx: &DecisionContext) -> Decision<Self> {
        self.version = cx.version();
        let mut effects = vec![];
        self.called_at = self.called_at.filter(|at| *at > cx.now && self.has_waiting);
        if let Some(at) = self.next_turn(limit, cx.now).filter(|_| self.called_at.is_none()) {
            self.called_at = Some(at);
            let message = |_| Message::Pool(PoolMessage { pool: self.id.clone() });
            effects.push(Effect::deliver_at(at, cx.now, CONDUCTOR, || self.timer(), message));
        }
        let permits = self.permits.iter().map(|permit| permit.reconcile_at);
        let call = self.called_at.map(|at| later(at, bounds::QUEUE_GRACE));
        // A process that gives a permit back may die before it is passed on: then there is room, and no message on its way.
        let waits = self.has_waiting && self.paused_at.is_none();
        let is_passed_over = self.called_at.is_none() && self.room(limit, cx.now) > 0;
        let waiting = waits.then(|| later(cx.now, if is_passed_over { CALL_AGAIN } else { bounds::POOL_RECONCILE }));
        let wanted = permits.chain(call).chain(waiting).min();
        self.reconcile_at = match (self.reconcile_at, wanted) {
            (Some(former), Some(wanted)) => Some(former.min(wanted)),
            (former, wanted) => former.or(wanted),
        };
        let is_idle = self.permits.is_empty() && !self.has_waiting && self.paused_at.is_none();
        let kept = limit.rate.map_or(bounds::POOL_RECONCILE, |rate| rate.per.max(bounds::POOL_RECONCILE));
        self.expires_at_s = is_idle.then(|| later(cx.now, kept).as_second());
        Decision::store(self, effects)
    }

    /// The time at which time alone makes room for one that waits.
    fn next_turn(&self, limit: Limit, now: Timestamp) -> Option<Timestamp> {
        if !self.has_waiting || self.paused_at.is_some() {
            return None;
        }
        if limit.is_none() {
            return Some(self.handed_at.map_or(now, |handed_at| later(handed_at, bounds::RELEASE_EVERY)).max(now));
        }
        let rate = limit.rate?;
        let spread = self.handed_at.map_or(now, |handed_at| later(handed_at, rate.spacing()));
        let is_full = self.starts.room(rate, 0, now) == 0;
        let window = self.starts.next_room(rate).filter(|_| is_full).unwrap_or(now);
        Some(spread.max(window).max(later(now, std::time::Duration::from_millis(1))))
    }

    /// The name of the one-time schedule that calls for those that wait.
    fn timer(&self) -> String {
        format!("pool-{:032x}", hash128(&self.id.to_string()))
    }
}
