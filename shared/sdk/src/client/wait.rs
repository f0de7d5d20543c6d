//! Waiting for the end of a run.

use std::time::Duration;

use dacapo_domain::{Id, RunView, State, code};
use tokio::time::Instant;

use super::{Client, Started};
use crate::{
    Error, TaskError, TaskRef,
    payload::{Codec, misfit},
};

/// The time from one question of a waiting client to the next, at first and at least, where the store answers at once.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

impl Client {
    /// Waits for a run's end.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn wait_for(&self, id: Id) -> Result<RunView, Error> {
        let (mut pause, longest) = PAUSE;
        loop {
            let asked = Instant::now();
            let run = self.ended(id).await?;
            if run.state.is_final() {
                return Ok(run);
            }
            tokio::time::sleep_until(asked + pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Waits for a run's typed result.
    ///
    /// # Errors
    /// The run's failure with its code; `ABORTED` with the message of its abort; `EXPIRED`; `RESULT_TOO_LARGE` for a
    /// result that was not kept; a terminal error for one that is of another type; or what the store says.
    pub async fn wait<I, O>(&self, task: TaskRef<I, O>, started: &Started<O>) -> Result<O, TaskError> {
        self.result_of(started.id(), task.output).await
    }

    pub(super) async fn result_of<O>(&self, id: Id, output: Codec<O>) -> Result<O, TaskError> {
        let run = self.wait_for(id).await?;
        output.result_of(run)
    }
}

impl<O> Codec<O> {
    /// The typed result of a run that has ended, or its failure.
    pub(crate) fn result_of(&self, run: RunView) -> Result<O, TaskError> {
        let ended = |what: Option<String>| what.unwrap_or_else(|| format!("run {} is {}", run.id, run.state));
        match (run.state, run.result) {
            (State::Completed, Some(result)) => self.decode(&result).map_err(|error| {
                TaskError::terminal(misfit::<O>(format_args!("the result of run {}", run.id), &error))
            }),
            (State::Completed, None) => {
                Err(TaskError::terminal(ended(run.result_left_out)).code(code::RESULT_TOO_LARGE))
            }
            (State::Failed, _) => {
                let code = run.error_code.unwrap_or_else(|| code::ERROR.to_owned());
                Err(TaskError::terminal(ended(run.error_message)).code(code))
            }
            (State::Expired, _) => Err(TaskError::terminal(ended(run.message)).code(code::EXPIRED)),
            _ => Err(TaskError::terminal(ended(run.message)).code(code::ABORTED)),
        }
    }
}
