//! Watched until settled: when the conductor looks at a run, and what it does then.

use std::time::Duration;

use jiff::Timestamp;

use super::{Decision, Driver, Effect, Policy, Run, State, attempt, end, long};
use crate::{Moment, limits};

/// What the conductor must find out before it can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the record says it all.
    Nothing,
    /// Whether the function's queue shows anything visible.
    Backlog,
    /// Whether the execution of the record's generation is running.
    Execution,
}

/// What the conductor has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facts {
    /// The record was enough.
    Nothing,
    /// Whether the function's queue has a backlog.
    Backlog(bool),
    /// Whether the execution is running.
    Executing(bool),
}

/// When the record could need repair at the earliest, plus the grace: `None` where nobody needs to look again.
#[must_use]
pub fn due_look(run: &Run, now: Timestamp) -> Option<Timestamp> {
    let look = match (run.state, run.driver) {
        (state, _) if state.is_final() => {
            if !run.owes {
                return None;
            }
            run.lease.map_or(run.ended_at.unwrap_or(now), |lease| lease.until) + limits::LEASE_GRACE
        }
        (State::Running, Driver::Queue) => run.lease.map_or(now, |lease| lease.until) + limits::LEASE_GRACE,
        (State::Running, Driver::Loop) => run.lease.map_or(now, |lease| lease.until) + limits::LOOP_GRACE,
        (_, Driver::Queue) => run.due_at + limits::QUEUE_GRACE,
        (_, Driver::Loop) => (run.due_at + limits::LOOP_GRACE).min(now + limits::WAIT_GRACE),
    };
    Some(look)
}

/// What must be found out about an overdue run.
#[must_use]
pub fn needs(run: &Run, now: Timestamp) -> Need {
    match (run.state, run.driver) {
        (state, _) if state.is_final() || run.is_held(now) => Need::Nothing,
        (State::Running, Driver::Queue) => Need::Nothing,
        (_, Driver::Queue) if now < run.due_at => Need::Nothing,
        (_, Driver::Queue) => Need::Backlog,
        (_, Driver::Loop) => Need::Execution,
    }
}

/// The conductor looks at a run. Each look leaves a later one, unless nothing is left to look after.
pub(super) fn looked(run: &Run, facts: Facts, policy: Option<&Policy>, moment: &Moment) -> Decision {
    let now = moment.now;
    let Some(policy) = policy else {
        let decision = end::unknown_task(run, moment);
        return if decision.write { decision } else { again(run, vec![], moment) };
    };
    if run.state.is_final() {
        // An end without its ending: the function gets a message that asks for it.
        let tell = run.owes && !run.is_held(now);
        return again(run, if tell { vec![Effect::Send(Duration::ZERO)] } else { vec![] }, moment);
    }
    if run.is_held(now) {
        return again(run, vec![], moment);
    }
    // Whatever follows sets the next look anew: only the conductor raises it.
    let run = &Run { watch_at: None, ..run.clone() };
    if run.state == State::Running {
        // An ended lease means a dead attempt, whoever drives the run.
        return attempt::crashed(run, None, policy, moment);
    }
    match (run.driver, facts) {
        (Driver::Queue, _) if now < run.due_at => again(run, vec![], moment),
        (Driver::Queue, _) if run.started_at.is_none() && run.expires_at.is_some_and(|expires| expires <= now) => {
            end::finish(run.clone(), State::Expired, None, policy, moment)
        }
        (Driver::Queue, Facts::Backlog(true)) => again(run, vec![], moment),
        (Driver::Queue, _) if run.looks == 0 => again(run, vec![Effect::Send(Duration::ZERO)], moment),
        // Looked at before, and still not taken. A queue doesn't say why; the loop tells a function that is throttled, and
        // waits, from one that can't start, which is a crash.
        (Driver::Queue, _) => long::renewed(&Run { driver: Driver::Loop, ..run.clone() }, moment),
        (Driver::Loop, Facts::Executing(false)) => long::renewed(run, moment),
        (Driver::Loop, _) => again(run, vec![], moment),
    }
}

/// Puts the next look off: to the earliest repair, and twice as far at each look in a row, up to an hour.
fn again(run: &Run, effects: Vec<Effect>, moment: &Moment) -> Decision {
    let mut next = run.clone();
    next.version = moment.version();
    let pause = (limits::QUEUE_GRACE * 2_u32.saturating_pow(run.looks)).min(limits::MAX_LOOK_DELAY);
    next.looks = run.looks.saturating_add(1);
    next.watch_at = due_look(run, moment.now).map(|due| due.max(moment.now + pause));
    Decision { run: next, write: true, input: None, result: None, effects }
}
