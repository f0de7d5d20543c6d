//! One function, where the environment says.

use std::{
    env, fs,
    future::Future,
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
};

use dacapo::{Definition, Error, Function};
use dacapo_client::{ports_from_env, variable, variables_from_env};
use dacapo_core::{
    conductor::{Conductor, Webhooks},
    port::Ports,
    runner::Runner,
    webhook::WebhookKey,
};
use dacapo_domain::{CONDUCTOR, FunctionEntry, LifecycleEvent, Manifest, Requirements, SecretSource};
use tokio::{runtime::Builder, task::JoinHandle};

#[cfg(feature = "local")]
use crate::turns;
use crate::{
    engine,
    log::{self, SpanLayer},
    timer_keepalive,
};

/// The name of the secret that webhooks are signed with.
const WEBHOOK_SECRET: &str = "WEBHOOK_SECRET";

/// The exit code of a program that was started where there is nothing to serve.
const USAGE: u8 = 2;

/// One thread for a handler, and one that sees its timeout pass: a handler that blocks its thread would stop the
/// clock too, if it were the only one. Messages are handled one after another, so more are not needed.
pub(crate) const THREADS: usize = 2;

/// Serves a function until the process is stopped.
///
/// Options that are refused end it before anything is served, each with what was given and what is allowed.
#[must_use]
pub fn serve(function: impl Function) -> ExitCode {
    serve_with(function, |_| Ok(None))
}

/// Serves a function as [`serve`] does, with a layer beside the log that sees its spans: it is asked for by the function's
/// name. Why there is none is logged, and stops nothing.
#[must_use]
pub fn serve_with(function: impl Function, spans: impl FnOnce(&str) -> Result<Option<SpanLayer>, String>) -> ExitCode {
    let definition = Definition::of(function);
    if variable("DACAPO_DESCRIBE").is_some() {
        return describe(definition.describe(&crate_name()));
    }
    let entry = match definition.describe(&crate_name()) {
        Ok(entry) => entry,
        Err(problems) => return describe(Err(problems)),
    };
    let requires = definition.requires.clone();
    let needed = requires.clone();
    let variables = async move { variables_from_env(&needed).await };
    run(&entry, spans, variables, async move |ports, name, variables| {
        let publishes = LifecycleEvent::read(&variable("DACAPO_LIFECYCLE").unwrap_or_default())?;
        let runner = Runner::new(definition.handlers, ports, &name).publishing(publishes);
        let runner = runner.sending(requires.sends.clone());
        dacapo_client::within_function(requires.uses_client);
        serve_runner(runner.with(variables.await??)).await
    })
}

/// On the embedded engine in turns, on Lambda by its Runtime API.
async fn serve_runner(runner: Runner) -> Served {
    #[cfg(feature = "local")]
    if let Some(turns) = engine::turns() {
        // On one of tokio's workers, where the handler is spawned too.
        return Ok(tokio::spawn(async move { turns::serve(&runner, &turns).await }).await??);
    }
    dacapo_lambda::serve_runner(runner).await
}

/// Serves the conductor until the process is stopped. The manifest that it stores after a deploy is the file
/// `manifest.json` beside its binary.
#[must_use]
pub fn conductor() -> ExitCode {
    let entry = FunctionEntry::conductor();
    if variable("DACAPO_DESCRIBE").is_some() {
        return describe(Ok(entry));
    }
    run(
        &entry,
        |_| Ok(None),
        webhooks(),
        |ports, _, webhooks| async move {
            let conductor = Conductor::new(ports, carried()?).taking(webhooks.await?);
            dacapo_lambda::serve_conductor(conductor).await
        },
    )
}

/// The requests that the environment lets the conductor take at its function URL. Events are refused where their secret
/// can't be read: it has other work, which that must not stop.
async fn webhooks() -> Webhooks {
    let tokens = variable("DACAPO_TOKEN_URL").is_some_and(|tokens| tokens == "on");
    if variable("DACAPO_SECRETS").is_none() {
        return Webhooks { tokens, events: None };
    }
    let secret = [(WEBHOOK_SECRET.to_owned(), SecretSource::from(""))];
    let requires = Requirements { secrets: secret.into(), ..Requirements::default() };
    let read = variables_from_env(&requires).await;
    let key = read.and_then(|read| WebhookKey::read(read.get(WEBHOOK_SECRET)?).map_err(Error::usage));
    let events = key.inspect_err(|error| tracing::error!(%error, "webhooks are refused")).ok();
    Webhooks { tokens, events }
}

type Served = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Serves in a runtime, as the entry is called here. Secrets are read while the clients are made: certificates, which both
/// need, take a third of the start.
fn run<R: Send + 'static, S: Future<Output = Served>>(
    entry: &FunctionEntry,
    spans: impl FnOnce(&str) -> Result<Option<SpanLayer>, String>,
    read: impl Future<Output = R> + Send + 'static,
    serve: impl FnOnce(Ports, String, JoinHandle<R>) -> S,
) -> ExitCode {
    if variable("AWS_LAMBDA_RUNTIME_API").is_none() {
        let what = if entry.name == CONDUCTOR { "the conductor" } else { "a function" };
        eprintln!(
            "{} is {what} of an app: run it with `dacapo dev`, or deploy it with `make deploy`",
            entry.crate_name
        );
        return ExitCode::from(USAGE);
    }
    // Lambda's binary is called `bootstrap`, so the crate's name is no guide there.
    let name = variable("DACAPO_FUNCTION").unwrap_or_else(|| entry.name.clone());
    log::start(&name, spans(&name));
    let served = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().map_err(Into::into).and_then(
        |runtime| {
            timer_keepalive::start(runtime.handle());
            runtime.block_on(async {
                let read = tokio::spawn(read);
                let ports = ports_from_env().await?;
                engine::end_with_engine();
                serve(ports, name, read).await
            })
        },
    );
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "failed to serve");
            engine::end()
        }
    }
}

/// Prints the manifest's entry as JSON, or all that is wrong with it.
fn describe(entry: Result<FunctionEntry, Vec<String>>) -> ExitCode {
    let json = match entry {
        Ok(entry) => serde_json::to_string(&entry),
        Err(problems) => {
            for problem in problems {
                eprintln!("{}: {problem}", crate_name());
            }
            return ExitCode::FAILURE;
        }
    };
    let printed = json.map_err(Into::into).and_then(|json| writeln!(stdout(), "\n{json}"));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to describe the function: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The manifest in the conductor's zip, where it carries one.
fn carried() -> Result<Option<Manifest>, Box<dyn std::error::Error + Send + Sync>> {
    let Some(directory) = directory() else { return Ok(None) };
    match fs::read(directory.join("manifest.json")) {
        Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn directory() -> Option<PathBuf> {
    let task_root = env::var_os("LAMBDA_TASK_ROOT").map(PathBuf::from);
    task_root.or_else(|| env::current_exe().ok()?.parent().map(ToOwned::to_owned))
}

/// The crate of this program: its binary bears the same name.
fn crate_name() -> String {
    let path = env::current_exe().ok();
    let stem = path.as_deref().and_then(|path| path.file_stem());
    stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
