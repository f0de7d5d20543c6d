//! The loop: the Step Functions execution that waits and calls again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Decision, Driver, Effect, Policy, Run, State, attempt, end};
use crate::{Failure, Id, Moment, limits};

/// What the loop says when it calls, and what it was started with. No payload travels through it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoopCall {
    /// The run.
    pub run: Id,
    /// Its function, as in [`FunctionEntry::name`](crate::FunctionEntry::name).
    pub function: String,
    /// The generation that the execution was started for.
    pub generation: u32,
    /// Calls of this execution so far.
    pub round: u32,
    /// When the execution started.
    pub started: Timestamp,
    /// The iteration that was to come next when the loop was last told.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
}

/// What the loop is told: a pure function of the record and of its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "next")]
pub enum Answer {
    /// Wait until then and call again.
    Wait {
        /// Whole seconds, rounded up.
        until: Timestamp,
        /// What to call with.
        call: LoopCall,
    },
    /// Start a successor and end.
    Handover {
        /// The successor's name.
        name: String,
        /// What the successor is started with.
        call: LoopCall,
        /// When its first call is due.
        until: Timestamp,
    },
    /// End: the run has ended, or another generation or its queue drives it.
    Stop {
        /// The run.
        id: Id,
        /// Where it stands.
        state: State,
    },
}

impl LoopCall {
    /// What the execution of a run's current generation is started with.
    #[must_use]
    pub fn first(run: &Run, now: Timestamp) -> Self {
        let (iteration, attempt) = (run.iteration, run.attempt);
        let function = crate::slug(&run.name);
        Self { run: run.id, function, generation: run.generation, round: 0, started: now, iteration, attempt }
    }
}

/// How an execution ended that its run didn't end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecutionEnd {
    /// Stopped from outside: the user's wish.
    Stopped,
    /// Ended by a quota or the length of its history: a new generation carries on.
    Exhausted,
    /// Failed for another reason.
    Failed(String),
}

/// What the loop is told. Asked twice, it answers the same.
#[must_use]
pub fn answer(run: &Run, call: &LoopCall, now: Timestamp) -> Answer {
    let due = match run.lease {
        Some(lease) if run.state == State::Running => lease.until,
        _ => run.due_at,
    };
    let until = ceil_second(due.max(now));
    let next = |generation, round, started| LoopCall {
        run: run.id,
        function: call.function.clone(),
        generation,
        round,
        started,
        iteration: run.iteration,
        attempt: run.attempt,
    };
    if run.state.is_final() || run.driver != Driver::Loop {
        Answer::Stop { id: run.id, state: run.state }
    } else if run.generation == call.generation {
        Answer::Wait { until, call: next(call.generation, call.round + 1, call.started) }
    } else if run.generation == call.generation + 1 {
        Answer::Handover { name: run.execution_name(), call: next(run.generation, 0, now), until }
    } else {
        Answer::Stop { id: run.id, state: run.state }
    }
}

/// Whether the execution must hand over before it waits for the run's next call.
fn is_exhausted(run: &Run, call: &LoopCall) -> bool {
    call.round >= limits::LOOP_ROUNDS || run.due_at > call.started + limits::LOOP_LIFE
}

fn drives(run: &Run, generation: u32) -> bool {
    !run.state.is_final() && run.driver == Driver::Loop && run.generation == generation
}

/// The loop calls: an attempt is taken if one is due, a dead one is noticed.
pub(super) fn called(run: &Run, call: &LoopCall, policy: &Policy, moment: &Moment) -> Decision {
    if !drives(run, call.generation) {
        let owed = run.state.is_final() && run.owes && !run.is_held(moment.now);
        return Decision::stay(run, if owed { vec![Effect::Settle] } else { vec![] });
    }
    if run.state != State::Running && moment.now < run.due_at {
        return Decision::stay(run, vec![]);
    }
    attempt::start(run, policy, moment)
}

/// The loop is about to be answered: one that is exhausted gets a successor, whose generation is recorded first.
pub(super) fn answering(run: &Run, call: &LoopCall, moment: &Moment) -> Decision {
    if !drives(run, call.generation) || run.state == State::Running || !is_exhausted(run, call) {
        return Decision::stay(run, vec![]);
    }
    let mut run = run.clone();
    run.generation += 1;
    run.execution = None;
    Decision::write(run, moment, vec![])
}

/// A call of the function ended in no answer. While the lease is held, that is no news; once it has ended, the
/// attempt is dead; an attempt that was never taken, of a function that can't start, counts as one.
pub(super) fn crashed(run: &Run, call: &LoopCall, cause: String, policy: &Policy, moment: &Moment) -> Decision {
    let meant = run.iteration == call.iteration && run.attempt == call.attempt;
    if !drives(run, call.generation) || !meant || run.is_held(moment.now) || moment.now < run.due_at {
        return Decision::stay(run, vec![]);
    }
    attempt::crashed(run, Some(cause), policy, moment)
}

/// An execution ended from outside. That of another generation is no news.
pub(super) fn ended(run: &Run, generation: u32, how: ExecutionEnd, policy: &Policy, moment: &Moment) -> Decision {
    if !drives(run, generation) {
        return Decision::stay(run, vec![]);
    }
    match how {
        ExecutionEnd::Stopped => {
            let decision = end::abort(run, "the Step Functions execution was stopped".to_owned(), policy, moment);
            without_stop(decision)
        }
        ExecutionEnd::Exhausted => renewed(run, moment),
        ExecutionEnd::Failed(_) if run.is_held(moment.now) => renewed(run, moment),
        ExecutionEnd::Failed(cause) => {
            let mut run = run.clone();
            run.error = Some(Failure::new(crate::code::CRASHED, format!("the loop failed: {cause}")));
            without_stop(end::finish(run, State::Failed, None, policy, moment))
        }
    }
}

/// Another generation carries on; calls of the former are answered "stop" or handed over.
pub(super) fn renewed(run: &Run, moment: &Moment) -> Decision {
    let mut run = run.clone();
    run.generation += 1;
    run.execution = None;
    run.looks = 0;
    Decision::write(run, moment, vec![Effect::StartLoop])
}

fn without_stop(mut decision: Decision) -> Decision {
    decision.effects.retain(|effect| *effect != Effect::StopLoop);
    decision
}

fn ceil_second(at: Timestamp) -> Timestamp {
    let second = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
