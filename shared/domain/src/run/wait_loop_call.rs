//! The calls of a wait loop, and the answers to them.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde::{Deserialize, Serialize};

use super::{Invoker, Phase, RunRecord, State};
use crate::{Id, json::is_zero, limits};

/// The call of a wait loop, and what its execution is started with. No payload travels through it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitLoopCall {
    /// The run.
    pub run: Id,
    /// The run's function, as in [`FunctionEntry::name`](crate::FunctionEntry::name).
    pub function: String,
    /// The generation that the execution was started for.
    pub generation: u32,
    /// Calls of this execution so far.
    pub round: u32,
    /// The time at which the execution started.
    pub started: Timestamp,
    /// The iteration that was to come next when it was last answered.
    pub iteration: u32,
    /// The attempt at it.
    pub attempt: u32,
    /// Tries of its calls so far, beyond one a round, as far as the function and the conductor were told of them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u32,
    /// The last error of a call that stayed throttled through all of its tries, and is made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<Throttled>,
}

/// An error as Step Functions tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Throttled {
    /// The name.
    pub error: String,
    /// The cause.
    pub cause: String,
}

/// A call of a wait loop that says how often it was retried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetriedCall {
    /// The call.
    pub call: WaitLoopCall,
    /// The tries before this one.
    pub retries: u32,
}

impl From<RetriedCall> for WaitLoopCall {
    fn from(RetriedCall { call, retries }: RetriedCall) -> Self {
        call.retried(retries)
    }
}

/// The answer to a call: a pure function of the record and of the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "next")]
pub enum WaitLoopAnswer {
    /// Wait until then and call again.
    Wait {
        /// Whole seconds, rounded up; in the past where the call is due.
        until: Timestamp,
        /// The call to make then.
        call: WaitLoopCall,
    },
    /// Start a successor and end.
    Handover {
        /// The successor's name.
        name: String,
        /// The call that the successor is started with.
        call: WaitLoopCall,
        /// The time at which its first call is due.
        until: Timestamp,
    },
    /// End: the run has ended, or another generation or its queue calls it.
    Stop {
        /// The run.
        id: Id,
        /// The phase.
        state: State,
    },
}

/// The end of an execution that its run didn't end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionEnd {
    /// Stopped from outside: the user's wish.
    Stopped,
    /// Ended by a quota or the length of its history: a new generation carries on.
    Exhausted,
    /// Failed for another reason.
    Failed(String),
}

impl WaitLoopCall {
    /// The call that the execution of a run's current generation is started with.
    #[must_use]
    pub fn first(run: &RunRecord, now: Timestamp) -> Self {
        let (iteration, attempt) = (run.iteration, run.attempt);
        let function = run.function();
        let generation = run.invoker.generation();
        Self {
            run: run.id,
            function,
            generation,
            round: 0,
            started: now,
            iteration,
            attempt,
            tries: 0,
            throttled: None,
        }
    }

    /// The call after so many tries more.
    #[must_use]
    pub fn retried(self, tries: u32) -> Self {
        Self { tries: self.tries.saturating_add(tries), ..self }
    }

    /// Is true where the history of its execution has no room for many rounds more.
    pub(super) fn is_last(&self) -> bool {
        let rounds = self.round.saturating_mul(limits::ROUND_EVENTS);
        let events = rounds.saturating_add(self.tries.saturating_mul(limits::TRY_EVENTS));
        self.round >= limits::LOOP_ROUNDS || events >= limits::LOOP_EVENTS || self.throttled.is_some()
    }
}

impl ExecutionEnd {
    /// The meaning of an execution's end, as Step Functions tells it: its status, and the error's name and cause where
    /// it has them. `None` for one that succeeded or still runs.
    ///
    /// ```
    /// use dacapo_domain::run::ExecutionEnd;
    ///
    /// assert_eq!(ExecutionEnd::of("ABORTED", None, None), Some(ExecutionEnd::Stopped));
    /// assert_eq!(ExecutionEnd::of("FAILED", Some("States.Runtime"), None), Some(ExecutionEnd::Exhausted));
    /// assert_eq!(ExecutionEnd::of("SUCCEEDED", None, None), None);
    /// ```
    #[must_use]
    pub fn of(status: &str, error: Option<&str>, cause: Option<&str>) -> Option<Self> {
        match (status, error) {
            ("ABORTED", _) => Some(Self::Stopped),
            (
                "FAILED" | "TIMED_OUT",
                Some("States.Runtime" | "States.ExceedToleratedFailureThreshold" | "States.Timeout") | None,
            ) => Some(Self::Exhausted),
            ("FAILED" | "TIMED_OUT", Some(error)) => {
                Some(Self::Failed(format!("{error}: {}", cause.unwrap_or_default())))
            }
            _ => None,
        }
    }
}

/// The answer to a call. Asked twice, it is the same.
#[must_use]
pub fn answer(run: &RunRecord, call: &WaitLoopCall, now: Timestamp) -> WaitLoopAnswer {
    let due = match &run.phase {
        Phase::Running { lease, .. } => lease.until,
        _ => run.due_at,
    };
    let until = wait_until(due, now);
    let next = |generation, round, started, tries| WaitLoopCall {
        run: run.id,
        function: call.function.clone(),
        generation,
        round,
        started,
        iteration: run.iteration,
        attempt: run.attempt,
        tries,
        throttled: None,
    };
    let stop = WaitLoopAnswer::Stop { id: run.id, state: run.state_at(now) };
    let Invoker::WaitLoop { generation, .. } = run.invoker else { return stop };
    if run.phase.is_final() {
        stop
    } else if generation == call.generation {
        WaitLoopAnswer::Wait {
            until,
            call: next(call.generation, call.round.saturating_add(1), call.started, call.tries),
        }
    } else if generation == call.generation.saturating_add(1) {
        WaitLoopAnswer::Handover { name: run.execution_name(), call: next(generation, 0, now, 0), until }
    } else {
        stop
    }
}

/// The time that an execution waits until: whole seconds, rounded up, since nothing is called early. Rounded down where
/// it has come: a time in the past is no wait.
pub(super) fn wait_until(due: Timestamp, now: Timestamp) -> Timestamp {
    let round = if due <= now { RoundMode::Floor } else { RoundMode::Ceil };
    due.round(TimestampRound::new().smallest(Unit::Second).mode(round)).unwrap_or(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn execution_waits_for_whole_seconds_and_not_at_all_for_a_time_that_has_come() -> Result<(), jiff::Error> {
        let now: Timestamp = "2026-01-01T00:00:05.5Z".parse()?;
        for (due, until) in [
            ("2026-01-01T00:00:05.500000001Z", "2026-01-01T00:00:06Z"),
            ("2026-01-01T00:00:07Z", "2026-01-01T00:00:07Z"),
            ("2026-01-01T00:00:05.5Z", "2026-01-01T00:00:05Z"),
            ("2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z"),
        ] {
            assert_eq!(wait_until(due.parse()?, now), until.parse()?, "{due}");
        }
        Ok(())
    }
}
