//! The command that develops: the workspace's functions, built, served and watched on this machine.

mod build;
mod restart;
mod welcome;

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use dacapo::Client;
use dacapo_domain::Manifest;
use dacapo_local::{DEFAULT_PORT, DevFunction, DevOptions, EngineLog};

use crate::{
    context::Context,
    failure::{CliError, CliResult, suggestion},
    output::{self, Output, plain},
    workspace,
};

use build::{Metadata, Package, build, describe};
use restart::{Restart, manifest_changed};
use welcome::{Started, program};

/// Builds the workspace's functions, starts the engine and the dashboard, and fires schedules, until interrupted.
/// A function whose binary is built again is restarted; where it has other options or schedules then, so is the engine.
#[derive(Debug, Args)]
pub struct Dev {
    /// The engine's port; 0 takes a free one
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    /// The file that everything is kept in [default: dacapo/APP.sqlite in cargo's target folder]
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Take the functions' binaries as they are
    #[arg(long)]
    no_build: bool,
    /// Only these functions, by their crates' names; may be given several times [default: all in functions/]
    #[arg(long = "function", value_name = "CRATE", visible_alias = "functions", value_delimiter = ',')]
    functions: Vec<String>,
}

impl Dev {
    pub async fn run(self, cx: &Context<'_>) -> CliResult<ExitCode> {
        let root = workspace::here()?;
        let app = match &cx.global.app {
            Some(app) => app.clone(),
            None => workspace::app(&root)?,
        };
        dacapo_domain::check_stack(&app, &cx.global.stage).map_err(|error| CliError::usage(error.to_string()))?;
        let metadata = Metadata::of(&root)?;
        let packages = self.chosen(metadata.functions(&root))?;
        if !self.no_build {
            build(&root, &packages)?;
        }
        let restart = Restart::of_this_program(!self.no_build);
        let describe = || describe(&app, &metadata.target_directory, &packages);
        let (manifest, functions) = describe()?;
        let database = match self.database {
            Some(file) => file,
            None => metadata.target_directory.join("dacapo").join(format!("{app}.sqlite")),
        };
        let binaries = functions.iter().map(|function| function.binary.clone()).collect();
        let changed = Cell::new(false);
        let until = async {
            manifest_changed(&manifest, binaries, || Ok(describe()?.0), cx.output).await;
            cx.output.note("the functions say something else of themselves: the engine starts again");
            changed.set(true);
        };
        serve(cx.output, manifest.clone(), functions, database, self.port, until).await?;
        if changed.get() { Err(restart.start()) } else { Ok(ExitCode::SUCCESS) }
    }

    /// The functions that were asked for; all, where none was.
    fn chosen<'a>(&self, all: Vec<&'a Package>) -> CliResult<Vec<&'a Package>> {
        let known: Vec<&str> = all.iter().map(|package| &*package.name).collect();
        if let Some(unknown) = self.functions.iter().find(|name| !known.contains(&name.as_str())) {
            let hint = suggestion(unknown, &known);
            return Err(CliError::not_found(format!("no function's crate is named {unknown:?}{hint}")));
        }
        let chosen = |package: &&Package| self.functions.is_empty() || self.functions.contains(&package.name);
        let chosen: Vec<&Package> = all.into_iter().filter(chosen).collect();
        match chosen.is_empty() {
            true => Err(CliError::usage("the workspace has no functions (add a crate with a binary in functions/)")),
            false => Ok(chosen),
        }
    }
}

async fn serve(
    output: &Output,
    manifest: Manifest,
    functions: Vec<DevFunction>,
    database: PathBuf,
    port: u16,
    until: impl Future<Output = ()>,
) -> CliResult<()> {
    let app = manifest.app.clone();
    let mut options = DevOptions::new(&app, database.clone(), functions);
    options.port = port;
    options.pages =
        Some(Box::new(move |ports| dacapo_dashboard::router(Client::new(ports), &format!("{app} on this machine"))));
    let (output, manifest, database) = (output.clone(), Arc::new(manifest), Arc::new(database));
    options.logs = Arc::new(move |log| match log {
        EngineLog::Listening { address } => {
            let (output, manifest, database) = (output.clone(), manifest.clone(), database.clone());
            tokio::spawn(async move { welcome(&output, &manifest, &database, &address).await });
        }
        log => output.note(&plain(&log.to_string())),
    });
    dacapo_local::dev(options, until).await.map_err(|error| CliError::failed(error.to_string()))
}

/// Says what runs. The schedules are the engine's own, since what it kept from before counts.
async fn welcome(output: &Output, manifest: &Manifest, database: &Path, address: &str) {
    let client = Client::new(dacapo_local::client::connect(address));
    let schedules = client.schedules().list().await.unwrap_or_default();
    let is_at_home = address == format!("http://127.0.0.1:{DEFAULT_PORT}");
    let started = Started { manifest, schedules: &schedules, address, database, is_at_home, program: &program() };
    output.give(&serde_json::json!({"url": address, "manifest": manifest}), || started.text(output::now()));
}
