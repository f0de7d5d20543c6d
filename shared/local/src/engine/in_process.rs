//! Functions whose code is in this process: the test kit's, and those of an app in one binary.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use dacapo_core::{Definition, Runner, port::Ports};
use dacapo_domain::{FunctionEntry, Json};
use futures::future::BoxFuture;

use super::{Crash, Invoke};
use crate::{process::limit, sqlite::Received};

/// One life of a process: the ports it sees, and its sudden end, if it has one.
pub struct Life {
    /// What its code uses.
    pub ports: Ports,
    /// Comes when the process dies in the middle of what it does.
    pub dies: BoxFuture<'static, ()>,
}

/// Makes the life of each invocation: a new process as far as functions can tell.
pub type Lives = Arc<dyn Fn() -> Life + Send + Sync>;

impl Life {
    /// Lives that never end before their time.
    #[must_use]
    pub fn unharmed(ports: Ports) -> Lives {
        Arc::new(move || Self { ports: ports.clone(), dies: Box::pin(std::future::pending()) })
    }

    /// Does work, unless death comes first.
    pub(super) async fn live<T>(self, work: impl AsyncFnOnce(Ports) -> T) -> Result<T, Crash> {
        tokio::select! {
            biased;
            () = self.dies => Err(Crash::new("the process died")),
            done = work(self.ports) => Ok(done),
        }
    }
}

/// Functions in this process.
pub struct InProcess {
    functions: HashMap<String, Definition>,
    lives: Lives,
}

impl InProcess {
    /// Functions by their names in the manifest.
    #[must_use]
    pub fn new(functions: HashMap<String, Definition>, lives: Lives) -> Self {
        Self { functions, lives }
    }

    fn find(&self, function: &FunctionEntry) -> Result<&Definition, Crash> {
        self.functions.get(&function.name).ok_or_else(|| Crash::new(format!("no function is named {}", function.name)))
    }
}

#[async_trait]
impl Invoke for InProcess {
    async fn deliver(&self, function: &FunctionEntry, batch: &[Received]) -> Result<Vec<bool>, Crash> {
        let definition = self.find(function)?;
        let life = (self.lives)();
        let work = async |ports: Ports| {
            let deadline = ports.clock.now() + limit(function);
            let runner = Runner::new(definition.clone(), ports, &function.name);
            let mut done = vec![];
            for message in batch {
                done.push(match runner.deliver(&message.text, message.receives, deadline).await {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::warn!(function = function.name, %error, "a message is left for redelivery");
                        false
                    }
                });
            }
            done
        };
        life.live(work).await
    }

    async fn call(&self, function: &FunctionEntry, payload: Json) -> Result<Json, Crash> {
        let definition = self.find(function)?;
        let life = (self.lives)();
        let work = async |ports: Ports| {
            let deadline = ports.clock.now() + limit(function);
            let runner = Runner::new(definition.clone(), ports, &function.name);
            runner.invoke(payload, deadline).await
        };
        life.live(work).await?.map_err(|error| Crash::new(error.to_string()))
    }
}
