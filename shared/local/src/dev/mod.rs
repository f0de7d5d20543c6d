//! An app on this machine, for its developer: function binaries, a database file, one port.

mod deploy;
mod direct;
mod serve;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use axum::Router;
use dacapo_core::{
    port::{PortError, Ports},
    webhook::WebhookKey,
};
use dacapo_domain::{FunctionEntry, ManifestError};
use tokio::sync::mpsc::UnboundedReceiver;

pub use serve::{dev, dev_until};

use crate::{engine::STAGE, engine_log::EngineLogs, sqlite::Durability};

/// The engine's port by default.
pub const DEFAULT_PORT: u16 = 8787;

/// Processes of one function, at most, by default.
const PROCESSES: usize = 10;

/// The app that is to be run, and where.
pub struct DevOptions {
    /// The app's name.
    pub app: String,
    /// The stage, as functions are told.
    pub stage: String,
    /// The port on 127.0.0.1; 0 takes any that is free, which the [log](crate::EngineLog) tells.
    pub port: u16,
    /// The database's file; its directory is made.
    pub database: PathBuf,
    /// The loss that a power cut may bring.
    pub durability: Durability,
    /// The app's functions but the conductor, which is part of the engine.
    pub functions: Vec<DevFunction>,
    /// Is true where these are some of the app's functions: others that the database knows stay as they are, with their
    /// queues, runs and schedules, until they run again.
    pub is_part: bool,
    /// The functions as they have become, each time they change: they take the place of the former.
    pub changes: Option<UnboundedReceiver<Vec<DevFunction>>>,
    /// Processes of one function, at most.
    pub processes: usize,
    /// The reader of the engine's log.
    pub logs: EngineLogs,
    /// Pages to serve beside the engine, as the dashboard's. They check by themselves who asks.
    pub pages: Option<Box<dyn FnOnce(Ports) -> Router + Send>>,
    /// The key of those who publish events over HTTP; without one they are refused.
    pub webhook_key: Option<WebhookKey>,
}

/// A function and its binary.
#[derive(Clone, Debug, PartialEq)]
pub struct DevFunction {
    /// The manifest's entry of it.
    pub entry: FunctionEntry,
    /// The place of its binary, also before it is built.
    pub binary: PathBuf,
    /// The variables of its environment beside those of Lambda and of Dacapo.
    pub variables: BTreeMap<String, String>,
}

/// The reason why an app can't be run on this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevError {
    /// Another program listens on the port.
    #[error("port {0} is in use (does `dacapo dev` run already? choose another port with `--port`)")]
    PortInUse(u16),
    /// The port can't be listened on for another reason.
    #[error("failed to listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// The reason.
        source: std::io::Error,
    },
    /// The functions don't make an app.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The database can't be used.
    #[error(transparent)]
    Database(#[from] PortError),
}

impl DevOptions {
    /// An app with these functions and this database, whose log is not read.
    #[must_use]
    pub fn new(app: &str, database: PathBuf, functions: Vec<DevFunction>) -> Self {
        Self {
            app: app.to_owned(),
            stage: STAGE.to_owned(),
            port: DEFAULT_PORT,
            database,
            durability: Durability::Normal,
            functions,
            is_part: false,
            changes: None,
            processes: PROCESSES,
            logs: Arc::new(|_| {}),
            pages: None,
            webhook_key: None,
        }
    }
}

#[cfg(all(test, unix, feature = "client"))]
mod tests;
