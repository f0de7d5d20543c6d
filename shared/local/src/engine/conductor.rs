//! The conductor's direct invocations: by the minute, and by a wait loop whose call failed.

use std::time::Duration;

use dacapo_core::port::PortResult;
use dacapo_domain::{CrashReport, Invocation, Json, WaitLoopAnswer, WaitLoopCall};

use super::Engine;
use crate::InvocationFailed;

/// The tries to tell the conductor of a crash. AWS's machine tells it up to 101 times, over hours.
const TRIES: u32 = 6;

/// The pause before the second try, doubled for each further one, as the machine's retry policy says.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Expired records that one sweep deletes, at most.
const EXPIRED: u32 = 1_000;

impl Engine {
    /// A minute has passed: the conductor reconciles what is overdue.
    pub(super) async fn sweep(&self) -> PortResult<()> {
        match self.call_conductor(&Invocation::Sweep {}).await {
            Ok(swept) => tracing::debug!(swept = swept.text(), "the conductor has reconciled what is overdue"),
            Err(failed) => tracing::warn!(%failed, "the conductor could not reconcile what is overdue"),
        }
        self.database.delete_expired(EXPIRED).await?;
        Ok(())
    }

    /// Tells the conductor that a call of a function ended in no answer: what the state machine's catch does.
    pub(super) async fn tell_crash(
        &self,
        call: &WaitLoopCall,
        failed: &InvocationFailed,
    ) -> Result<WaitLoopAnswer, InvocationFailed> {
        let crash = Invocation::Crash(CrashReport { call: call.clone(), cause: failed.cause.clone() });
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

    async fn call_conductor(&self, invocation: &Invocation) -> Result<Json, InvocationFailed> {
        let payload = Json::of(invocation).map_err(|error| InvocationFailed::new(error.to_string()))?;
        self.invoke.call(&self.conductor, payload).await
    }
}
