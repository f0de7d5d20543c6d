//! A loop started by hand: `aws stepfunctions start-execution` with `{"task": …, "body": …}`.

use dacapo_domain::{Answer, Id, LoopCall, NewRun, Run, Start, Trigger, hash128, run::answer};

use super::{Conductor, as_port_error};
use crate::{port::Created, runner::InvokeError};

impl Conductor {
    /// Makes the run that the execution drives from its beginning. Asked twice, it makes one.
    pub(super) async fn start(&self, start: Start) -> Result<Answer, InvokeError> {
        let manifest = self.manifest().await?;
        let Some((_, task)) = manifest.task(&start.task) else {
            let known: Vec<&str> = manifest.tasks().map(|(_, task)| task.name.as_str()).collect();
            let text = format!("no task is named {:?} (there are: {})", start.task, known.join(", "));
            return Err(InvokeError::Payload(text));
        };
        if task.private {
            return Err(InvokeError::Payload(format!("task {:?} is private: it can't be started by name", task.name)));
        }
        let now = self.ports.clock.now();
        let new = NewRun {
            id: Id::new(start.started, hash128(&start.execution)),
            name: task.name.clone(),
            due_at: now,
            trigger: Trigger::Direct,
            parent_id: None,
            hops: 0,
            tags: vec![],
            key: None,
            schedule: None,
            ttl: task.policy.ttl,
            execution: Some(start.execution),
        };
        let made = Run::create(new, &self.ports.clock.moment()).run;
        let run = match self.ports.store.create(&made, &start.body, None).await? {
            Created::New => made,
            Created::Exists(run) => run,
        };
        let call = LoopCall { started: start.started, ..LoopCall::first(&run, now) };
        Ok(answer(&run, &call, now))
    }
}

impl From<crate::Error> for InvokeError {
    fn from(error: crate::Error) -> Self {
        Self::Port(as_port_error(error))
    }
}
