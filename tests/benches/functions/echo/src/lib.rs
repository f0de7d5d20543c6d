//! A task for `make bench`: it gives back what it gets, and writes nothing of its own.

use dacapo::prelude::*;
use serde::{Deserialize, Serialize};

/// The task.
pub const ECHO: TaskRef<Said, String> = TaskRef::new("echo");

/// The name of the token that a run may wait for.
pub const WORD: &str = "word";

/// The text that is said again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Given back in the end.
    pub text: String,
    /// Iterations before that, each continued at once.
    pub continues: u32,
    /// Runs of the same task that are started and waited for first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub children: u32,
    /// Steps before that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps: u32,
    /// Says whether it waits for the run's token first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Default for Said {
    /// An ordinary body: with the record and the result less than a kilobyte.
    fn default() -> Self {
        Self { text: "What is said here is said again. ".repeat(4), continues: 0, children: 0, steps: 0, waits: false }
    }
}

/// The task.
pub fn function() -> impl Function {
    task(ECHO, echo)
}

async fn echo(mut said: Said, cx: TaskContext) -> Result<Outcome<Said, String>, TaskError> {
    for step in 0..said.steps {
        cx.step(&format!("step {step}"), async || Ok(said.text.clone())).await?;
    }
    if said.children > 0 {
        let children = cx.batch(ECHO, (0..said.children).map(|_| Said::default())).await?;
        said.children = 0;
        return Ok(Continue::when_done(children.into_iter().collect::<Result<Vec<_>, _>>()?, said));
    }
    if said.waits && cx.iteration() == 1 {
        return Ok(Continue::when_told(cx.token(WORD).await?, said));
    }
    if said.waits {
        cx.told::<String>(WORD).await?;
    }
    if said.continues > 0 {
        said.continues -= 1;
        return Ok(Continue(said));
    }
    Ok(Done(answer(said)))
}

/// The work of the handler, which a function without Dacapo does as well.
#[must_use]
pub fn answer(said: Said) -> String {
    said.text
}
