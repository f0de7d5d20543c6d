//! The performance of work: a batch delivered, an execution called, the conductor told.

use std::time::Duration;

use dacapo_core::port::{Outbox, PortResult};
use dacapo_domain::{CONDUCTOR, CrashReport, Effect, Invocation, Json, WaitLoopAnswer, WaitLoopCall};

use super::{Engine, Work};
use crate::{
    InvocationFailed,
    sqlite::{DueExecution, Ending, ReceivedMessage},
};

/// The tries to tell the conductor of a crash. AWS's machine tells it up to 101 times, over hours.
const TRIES: u32 = 6;

/// The pause before the second try, doubled for each further one, as the machine's retry policy says.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Expired records that one sweep deletes, at most.
const EXPIRED: u32 = 1_000;

impl Engine {
    /// Does work that was taken. What fails is said, and comes back as it would on AWS.
    pub async fn perform(&self, work: Work) {
        let done = match work {
            Work::Messages { queue, batch } => self.deliver(&queue, &batch).await,
            Work::Execution(due) => self.call(due).await,
            Work::Sweep => self.sweep().await,
        };
        if let Err(error) = done {
            tracing::error!(%error, "the engine failed to store what came of its work");
        }
    }

    /// Delivers a batch and acknowledges what is done; the rest comes back when its visibility ends.
    async fn deliver(&self, queue: &str, batch: &[ReceivedMessage]) -> PortResult<()> {
        let delivered = match self.reader(queue) {
            Some(function) => self.invoke.deliver(&function, queue, batch).await,
            None => Err(InvocationFailed::new("no function reads this queue any more")),
        };
        let done = delivered.unwrap_or_else(|failed| {
            tracing::warn!(queue, %failed, "an invocation failed: its messages come back");
            vec![]
        });
        let done = batch.iter().zip(done).filter(|(_, done)| *done);
        futures::future::try_join_all(done.map(|(message, _)| self.database.acknowledge(message.receipt))).await?;
        Ok(())
    }

    /// Calls the function of an execution whose wait is over. Where that fails, the conductor says what follows;
    /// where that fails too, the execution does.
    async fn call(&self, due: DueExecution) -> PortResult<()> {
        let answer = match self.ask(&due.function, &due.call).await {
            Ok(answer) => Ok(answer),
            Err(failed) => self.tell_crash(&due.call, &failed).await,
        };
        match answer {
            Ok(WaitLoopAnswer::Wait { until, call }) => {
                self.database.set_execution(&due.name, &call, until).await?;
            }
            Ok(WaitLoopAnswer::Handover { name, call, until }) => {
                self.database.post(&Effect::StartWaitLoop { execution: name, call, until }).await?;
                self.database.end_execution(&due.name, Ending::Succeeded).await?;
            }
            Ok(WaitLoopAnswer::Stop { .. }) => {
                self.database.end_execution(&due.name, Ending::Succeeded).await?;
            }
            Err(InvocationFailed { cause }) => {
                self.note(format!("the loop {} failed: {cause}", due.name));
                let error = "States.TaskFailed".to_owned();
                self.database.end_execution(&due.name, Ending::Failed { error, cause }).await?;
            }
        }
        Ok(())
    }

    /// Invokes a function with any payload, as `aws lambda invoke` does: by its name, or by its Lambda's full one,
    /// `{app}-{stage}-{function}`. `None` means that there is no such function.
    pub async fn invoke_directly(&self, function: &str, payload: Json) -> Option<Result<Json, InvocationFailed>> {
        let app = self.app();
        let prefix = format!("{}-{}-", app.manifest.app, self.stage);
        let named = app.functions.get(function);
        let entry = named.or_else(|| app.functions.get(function.strip_prefix(&prefix)?))?.clone();
        Some(self.invoke.call(&entry, payload).await)
    }

    /// Tells the conductor that a call of a function ended in no answer: what the state machine's catch does.
    async fn tell_crash(
        &self,
        call: &WaitLoopCall,
        failed: &InvocationFailed,
    ) -> Result<WaitLoopAnswer, InvocationFailed> {
        let crash = Invocation::Crash(CrashReport { call: call.clone(), cause: failed.cause.clone(), retries: 0 });
        let (mut tries, mut pause) = (0, FIRST_PAUSE);
        loop {
            let failed = match self.call_conductor(&crash).await {
                Ok(answer) => {
                    return answer.parse().map_err(|error| InvocationFailed::new(format!("no answer: {error}")));
                }
                Err(failed) => failed,
            };
            tries += 1;
            if tries == TRIES {
                return Err(failed);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn ask(&self, function: &str, call: &WaitLoopCall) -> Result<WaitLoopAnswer, InvocationFailed> {
        let conductor = (function == CONDUCTOR).then(|| self.conductor.clone());
        let entry = conductor.or_else(|| self.app().functions.get(function).cloned());
        let entry = entry.ok_or_else(|| InvocationFailed::new(format!("no function is named {function}")))?;
        let payload = Invocation::Loop(call.clone());
        let payload = Json::of(&payload).map_err(|error| InvocationFailed::new(error.to_string()))?;
        let answer = self.invoke.call(&entry, payload).await?;
        answer.parse().map_err(|error| InvocationFailed::new(format!("{function} gave the loop no answer: {error}")))
    }

    /// A minute has passed: the conductor reconciles what is overdue.
    async fn sweep(&self) -> PortResult<()> {
        match self.call_conductor(&Invocation::Sweep {}).await {
            Ok(swept) => tracing::debug!(swept = swept.text(), "the conductor has reconciled what is overdue"),
            Err(failed) => tracing::warn!(%failed, "the conductor could not reconcile what is overdue"),
        }
        self.database.delete_expired(EXPIRED).await?;
        Ok(())
    }

    async fn call_conductor(&self, invocation: &Invocation) -> Result<Json, InvocationFailed> {
        let payload = Json::of(invocation).map_err(|error| InvocationFailed::new(error.to_string()))?;
        self.invoke.call(&self.conductor, payload).await
    }
}
