//! The functions of an app, put in the place of the former ones while it runs.

use std::sync::Arc;

use dacapo_core::{
    port::{PortResult, Ports},
    read_manifest,
};
use dacapo_domain::{CONDUCTOR, FunctionEntry, Manifest};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{DevError, DevFunction};
use crate::{
    engine::{Engine, Programs},
    engine_log::{EngineLog, EngineLogs},
    process::Program,
};

/// The parts of an app that stay the same from one deploy to the next.
pub struct Place {
    pub app: String,
    pub stage: String,
    /// The engine's address.
    pub address: String,
    /// Is true where functions that the database knows beside those that run stay as they are.
    pub is_part: bool,
    pub ports: Ports,
    pub programs: Arc<Programs>,
}

impl Place {
    /// The manifest of functions, and of those that stay as they are beside them.
    pub async fn manifest(&self, functions: &[DevFunction]) -> Result<Manifest, DevError> {
        let mut entries: Vec<FunctionEntry> = functions.iter().map(|function| function.entry.clone()).collect();
        if self.is_part
            && let Some((_, known)) = read_manifest(&self.ports).await?
        {
            let runs = |known: &FunctionEntry| {
                entries.iter().any(|entry| entry.name == known.name || entry.crate_name == known.crate_name)
            };
            let others = known.functions.into_iter().filter(|known| known.name != CONDUCTOR && !runs(known));
            let others: Vec<_> = others.collect();
            entries.extend(others);
        }
        Ok(Manifest::new(&self.app, entries)?)
    }

    /// Deploys functions in the place of the former ones.
    pub async fn deploy(&self, engine: &Engine, manifest: Manifest, functions: &[DevFunction]) -> PortResult<()> {
        let program = |manifest: &Manifest, it: &DevFunction| {
            // The manifest's entry says which of its lifecycle events have subscribers.
            let told = manifest.functions.iter().find(|entry| entry.name == it.entry.name).unwrap_or(&it.entry);
            Program::new(told, it.binary.clone(), &self.app, &self.stage, &self.address).with(it.variables.clone())
        };
        let replace = |manifest: &Manifest| {
            self.programs.deploy(functions.iter().map(|function| program(manifest, function)).collect());
        };
        let runs = |entry: &FunctionEntry| functions.iter().any(|function| function.entry.name == entry.name);
        engine.redeploy(manifest, runs, replace).await
    }

    /// Deploys each change as it comes; says of one that can't be.
    pub async fn follow(
        &self,
        engine: &Engine,
        changes: Option<UnboundedReceiver<Vec<DevFunction>>>,
        logs: &EngineLogs,
    ) {
        let Some(mut changes) = changes else { return std::future::pending().await };
        while let Some(functions) = changes.recv().await {
            let deployed = match self.manifest(&functions).await {
                Ok(manifest) => self.deploy(engine, manifest, &functions).await.map_err(DevError::from),
                Err(error) => Err(error),
            };
            match deployed {
                Ok(()) => logs(EngineLog::Deployed),
                Err(error) => logs(EngineLog::Note(format!("failed to deploy the functions as they are now: {error}"))),
            }
        }
        std::future::pending().await
    }
}
