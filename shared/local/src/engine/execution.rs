//! One step of an execution of a wait loop: call the function, then do what it says.

use dacapo_core::port::{Outbox, PortResult};
use dacapo_domain::{Effect, Invocation, Json, WaitLoopAnswer, WaitLoopCall};

use super::Engine;
use crate::{
    InvocationFailed,
    sqlite::{DueExecution, Ending},
};

impl Engine {
    /// Calls the function of an execution whose wait is over. Where that fails, the conductor says what follows;
    /// where that fails too, the execution does.
    pub(super) async fn call(&self, due: DueExecution) -> PortResult<()> {
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

    /// Invokes a function with any payload, as `aws lambda invoke` does: by its name, or by its Lambda's full one.
    /// `None` means that there is no such function.
    pub async fn invoke_directly(&self, function: &str, payload: Json) -> Option<Result<Json, InvocationFailed>> {
        let full = |name: &str| function.strip_suffix(name).is_some_and(|rest| rest.starts_with(&self.manifest.app));
        let entry = self.functions.get(function);
        let entry = entry.or_else(|| self.functions.values().find(|entry| full(&format!("-{}", entry.name))))?;
        Some(self.invoke.call(entry, payload).await)
    }

    async fn ask(&self, function: &str, call: &WaitLoopCall) -> Result<WaitLoopAnswer, InvocationFailed> {
        let entry = self.functions.get(function);
        let entry = entry.ok_or_else(|| InvocationFailed::new(format!("no function is named {function}")))?;
        let payload = Invocation::Loop(call.clone());
        let payload = Json::of(&payload).map_err(|error| InvocationFailed::new(error.to_string()))?;
        let answer = self.invoke.call(entry, payload).await?;
        answer.parse().map_err(|error| InvocationFailed::new(format!("{function} gave the loop no answer: {error}")))
    }
}
