//! A wait loop started by hand: `aws stepfunctions start-execution` with `{"task": …, "body": …}`.

use dacapo_domain::{Id, NewRun, RunRecord, Start, Trigger, WaitLoopAnswer, WaitLoopCall, hash128, run::answer, slot};

use super::{Conductor, as_port_error};
use crate::{
    commit::{Creation, create},
    runner::InvokeError,
};

impl Conductor {
    /// Makes the run that the execution calls from its beginning. Asked twice, it makes one.
    pub(super) async fn start(&self, start: Start) -> Result<WaitLoopAnswer, InvokeError> {
        let manifest = self.manifest().await?;
        let Some((_, task)) = manifest.task(&start.task) else {
            let known: Vec<&str> = manifest.tasks().map(|(_, task)| task.name.as_str()).collect();
            let text = format!("no task is named {:?} (there are: {})", start.task, known.join(", "));
            return Err(InvokeError::Payload(text));
        };
        if task.private {
            return Err(InvokeError::Payload(format!("task {:?} is private: it can't be started by name", task.name)));
        }
        let now = self.ports().clock.now();
        let id = Id::new(start.started, hash128(&start.execution));
        let new = NewRun {
            ttl: task.policy.ttl,
            execution: Some(start.execution),
            ..NewRun::at(id, &task.name, now, Trigger::Direct)
        };
        let cx = self.ports().clock.decision_context();
        let decision = RunRecord::create(new, &cx).with(slot::BODY, start.body);
        let run = match create(self.ports(), &decision, self.deadline()).await? {
            Creation::New => decision.record,
            Creation::Exists(run) => run,
        };
        let call = WaitLoopCall { started: start.started, ..WaitLoopCall::first(&run, now) };
        Ok(answer(&run, &call, now))
    }
}

impl From<crate::Error> for InvokeError {
    fn from(error: crate::Error) -> Self {
        Self::Port(as_port_error(error))
    }
}
