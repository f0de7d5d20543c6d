//! The conductor, which is part of every app and so of the engine.

use std::time::Duration;

use dacapo_core::{
    Conductor,
    port::{PortResult, Ports},
};
use dacapo_domain::{Answer, Invocation, Json, LoopCall};

use super::{Crash, Engine};
use crate::sqlite::{Received, UNDELIVERED};

/// How often the conductor is told of a crash. AWS's machine tells it up to 101 times, over hours.
const CONDUCTOR_TRIES: u32 = 6;

/// The pause before the second try, doubled for each further one, as the machine's retry policy says.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Expired records that one look deletes, at most.
const EXPIRED: u32 = 1_000;

impl Engine {
    /// Brings the conductor messages of its own queue, or of the app's dead-letter queue.
    pub(super) async fn conduct(&self, queue: &str, batch: &[Received]) -> Result<Vec<bool>, Crash> {
        let work = async |ports: Ports| {
            let conductor = Conductor::new(ports, None);
            let mut done = vec![];
            for message in batch {
                let delivered = match queue {
                    UNDELIVERED => conductor.undelivered(&message.text).await,
                    _ => conductor.deliver(&message.text).await,
                };
                if let Err(error) = &delivered {
                    tracing::warn!(queue, %error, "the conductor leaves a message for redelivery");
                }
                done.push(delivered.is_ok());
            }
            done
        };
        (self.lives)().live(work).await
    }

    /// A minute has passed: the conductor looks at what is overdue.
    pub(super) async fn sweep(&self) -> PortResult<()> {
        let work = async |ports: Ports| Conductor::new(ports, None).sweep().await;
        match (self.lives)().live(work).await {
            Ok(Ok(swept)) => tracing::debug!(?swept, "the conductor has looked at what is overdue"),
            Ok(Err(error)) => tracing::warn!(%error, "the conductor could not look at what is overdue"),
            Err(crash) => tracing::warn!(%crash, "the conductor's sweep ended early"),
        }
        self.database.delete_expired(EXPIRED).await?;
        Ok(())
    }

    /// Tells the conductor that a call of a function ended in no answer: what the state machine's catch does.
    pub(super) async fn tell_crash(&self, call: &LoopCall, crash: &Crash) -> Result<Answer, Crash> {
        let report = dacapo_domain::Crash { call: call.clone(), cause: crash.cause.clone() };
        let payload = Json::of(&Invocation::Crash(report)).map_err(|error| Crash::new(error.to_string()))?;
        let (mut tries, mut pause) = (0, FIRST_PAUSE);
        loop {
            let payload = payload.clone();
            let work = async |ports: Ports| Conductor::new(ports, None).invoke(payload).await;
            let told = match (self.lives)().live(work).await {
                Ok(Ok(answer)) => return answer.parse().map_err(|error| Crash::new(format!("no answer: {error}"))),
                Ok(Err(error)) => Crash::new(error.to_string()),
                Err(crash) => crash,
            };
            tries += 1;
            if tries == CONDUCTOR_TRIES {
                return Err(told);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}
