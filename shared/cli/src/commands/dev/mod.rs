//! The command that develops: the workspace's functions, built, served and watched on this machine.

mod build;
mod functions;
mod variables;
mod watch;
mod welcome;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use clap::{Args, ValueEnum};
use dacapo::Client;
use dacapo_core::webhook::WebhookKey;
use dacapo_domain::Manifest;
use dacapo_local::{DEFAULT_PORT, DevOptions, EngineLog, sqlite};
use tokio::sync::mpsc::unbounded_channel;

use crate::{
    context::Context,
    failure::{CliError, CliResult},
    output::{self, Output, plain},
    workspace,
};

use functions::Functions;
use welcome::{Started, program};

/// The variable with the secret that webhooks are signed with.
const WEBHOOK_SECRET: &str = "DACAPO_WEBHOOK_SECRET";

/// Builds the workspace's functions, starts the engine and the dashboard, and fires schedules, until interrupted.
/// Changes are built and served as they are made, with new options and schedules.
#[derive(Debug, Args)]
pub struct Dev {
    /// The engine's port; 0 takes a free one
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    /// The file that everything is kept in [default: .dacapo/APP.sqlite at the workspace's top]
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// The loss by a power cut: `normal` the last moments, `full` nothing that was acknowledged, for some of the speed
    #[arg(long, value_enum, value_name = "WHAT", default_value = "normal")]
    durability: Durability,
    /// Build the functions in release: they start later and run faster
    #[arg(long)]
    release: bool,
    /// Take the functions' binaries as they are, and those that are built meanwhile
    #[arg(long)]
    no_build: bool,
    /// Only these functions, by their crates' names; may be given several times. What the others have waits for them
    /// [default: all in functions/]
    #[arg(long = "function", value_name = "CRATE", visible_alias = "functions", value_delimiter = ',')]
    functions: Vec<String>,
}

/// The loss that a power cut may cause.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Durability {
    Normal,
    Full,
}

impl From<Durability> for sqlite::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Normal => Self::Normal,
            Durability::Full => Self::Full,
        }
    }
}

impl Dev {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let output = cx.output.that_goes_on();
        let ended = self.serve(cx, &output).await;
        output.finish();
        ended
    }

    async fn serve(self, cx: &Context<'_>, output: &Output) -> CliResult<ExitCode> {
        let root = workspace::here()?;
        let app = match &cx.global.app {
            Some(app) => app.clone(),
            None => workspace::app(&root)?,
        };
        dacapo_domain::check_stack(&app, &cx.global.stage).map_err(|error| CliError::usage(error.to_string()))?;
        let database = self.database.unwrap_or_else(|| root.join(".dacapo").join(format!("{app}.sqlite")));
        let mut functions = Functions::new(&root, &app, self.functions, self.release, !self.no_build, output).await?;
        let (manifest, runs) = functions.describe().await?;
        let shown = Arc::new(Mutex::new(Arc::new(manifest)));

        let (deploy, changes) = unbounded_channel();
        let mut options = DevOptions::new(&app, database.clone(), runs);
        (options.port, options.changes, options.is_part) = (self.port, Some(changes), functions.are_part());
        options.durability = self.durability.into();
        options.webhook_key = webhook_key()?;
        let place = format!("{app} on this machine");
        options.pages = Some(Box::new(move |ports| dacapo_dashboard::router(Client::new(ports), &place)));
        options.logs = logs(output.clone(), shown.clone(), database);
        let changes = async {
            loop {
                let (manifest, runs) = functions.changed().await;
                *shown.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(manifest);
                // The engine that takes it ends with the command.
                let _ = deploy.send(runs);
            }
        };
        dacapo_local::dev(options, changes).await.map_err(|error| CliError::failed(error.to_string()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The key of those who publish events over HTTP, where the environment has their secret.
fn webhook_key() -> CliResult<Option<WebhookKey>> {
    let secret = std::env::var(WEBHOOK_SECRET).ok().filter(|secret| !secret.is_empty());
    let key = secret.map(|secret| WebhookKey::read(&secret)).transpose();
    key.map_err(|error| CliError::usage(format!("{WEBHOOK_SECRET}: {error}")))
}

/// Says what the engine does, and what runs when it has started or its functions have changed.
fn logs(output: Output, shown: Arc<Mutex<Arc<Manifest>>>, database: PathBuf) -> dacapo_local::EngineLogs {
    let (database, address) = (Arc::new(database), Mutex::new(String::new()));
    Arc::new(move |log| {
        let mut address = address.lock().unwrap_or_else(PoisonError::into_inner);
        match &log {
            EngineLog::Listening { address: listens } => address.clone_from(listens),
            EngineLog::Deployed => output.note(&log.to_string()),
            _ => return output.note(&plain(&log.to_string())),
        }
        let manifest = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (output, database, address) = (output.clone(), database.clone(), address.clone());
        tokio::spawn(async move { welcome(&output, &manifest, &database, &address).await });
    })
}

/// Says what runs. The schedules are the engine's own, since what it kept from before counts.
async fn welcome(output: &Output, manifest: &Manifest, database: &Path, address: &str) {
    let client = Client::new(dacapo_local::client::connect(address));
    let mut schedules = client.schedules().list().await.unwrap_or_default();
    schedules.retain(|schedule| manifest.tasks().any(|(_, task)| task.name == schedule.task));
    let is_at_home = address == format!("http://127.0.0.1:{DEFAULT_PORT}");
    let started = Started { manifest, schedules: &schedules, address, database, is_at_home, program: &program() };
    output.give(&started, || started.text(output::now()));
}
