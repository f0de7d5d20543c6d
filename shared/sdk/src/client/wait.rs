//! Waiting for the end of a run.

use std::time::Duration;

use dacapo_domain::{Id, RunView};

use super::{Client, Started};
use crate::{Error, TaskError, TaskRef};

/// The pause of a waiting client between two questions, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

impl Client {
    /// Waits for a run's end.
    ///
    /// # Errors
    /// `NotFound` if there is no such run.
    pub async fn wait_for(&self, id: Id) -> Result<RunView, Error> {
        let (mut pause, longest) = PAUSE;
        loop {
            let run = self.state(id).await?;
            if run.state.is_final() {
                return Ok(run);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Waits for a run's typed result.
    ///
    /// # Errors
    /// The run's failure with its code, `RESULT_TOO_LARGE` for a result that was not kept, or what the store says.
    pub async fn wait<I, O>(&self, task: TaskRef<I, O>, started: &Started<O>) -> Result<O, TaskError> {
        let run = self.wait_for(started.id()).await?;
        if let (Some(code), Some(message)) = (run.error_code, run.error_message) {
            return Err(TaskError::terminal(message).code(code));
        }
        if let Some(why) = run.result_left_out {
            return Err(TaskError::terminal(why).code("RESULT_TOO_LARGE"));
        }
        match run.result {
            Some(result) => Ok(task.output.decode(&result)?),
            None => Err(TaskError::terminal(format!("run {} ended {}", run.id, run.state)).code("ABORTED")),
        }
    }
}
