//! What is to be run, and where.

use std::{path::PathBuf, sync::Arc};

use axum::Router;
use dacapo_core::port::Ports;
use dacapo_domain::FunctionEntry;

use crate::report::Reports;

/// The engine's port where nobody says otherwise.
pub const DEFAULT_PORT: u16 = 8787;

/// Processes of one function, at most, where nobody says otherwise.
const PROCESSES: usize = 10;

/// What is to be run, and where.
pub struct DevOptions {
    /// The app's name.
    pub app: String,
    /// What functions are told as their stage.
    pub stage: String,
    /// The port on 127.0.0.1; 0 takes any that is free, which [`Report`](crate::Report) tells.
    pub port: u16,
    /// The database's file; its directory is made.
    pub database: PathBuf,
    /// The app's functions but the conductor, which is part of the engine.
    pub functions: Vec<DevFunction>,
    /// Processes of one function, at most.
    pub processes: usize,
    /// Who is told what happens.
    pub reports: Reports,
    /// Pages to serve beside the engine, as the dashboard's. They check by themselves who asks.
    pub pages: Option<Box<dyn FnOnce(Ports) -> Router + Send>>,
}

/// A function and its binary.
#[derive(Clone, Debug)]
pub struct DevFunction {
    /// What it says of itself.
    pub entry: FunctionEntry,
    /// Where its binary is, or will be once it is built.
    pub binary: PathBuf,
}

impl DevOptions {
    /// An app with these functions and this database, told of by nobody.
    #[must_use]
    pub fn new(app: &str, database: PathBuf, functions: Vec<DevFunction>) -> Self {
        Self {
            app: app.to_owned(),
            stage: "local".to_owned(),
            port: DEFAULT_PORT,
            database,
            functions,
            processes: PROCESSES,
            reports: Arc::new(|_| {}),
            pages: None,
        }
    }
}
