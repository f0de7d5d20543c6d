//! A client of an app, from the environment: for any program that has AWS credentials and the app's name, or that runs
//! beside the embedded engine. It brings no Lambda runtime.
//!
//! | variable | meaning |
//! |---|---|
//! | `DACAPO_LOCAL` | the embedded engine's address, as `http://127.0.0.1:8787`; without it, AWS |
//! | `DACAPO_APP`, `DACAPO_STAGE` | whose table and queues |
//!
//! # Example: start a task and wait for its result
//!
//! ```no_run
//! use dacapo::prelude::*;
//!
//! const COUNT_WORDS: TaskRef<String, usize> = TaskRef::new("count-words");
//!
//! async fn count(text: String) -> Result<usize, TaskError> {
//!     let client = dacapo_client::client_from_env().await?;
//!     client.run(COUNT_WORDS, text).and_wait().await
//! }
//! ```

use std::{collections::BTreeMap, env, sync::OnceLock};

use dacapo::{Client, Error, ErrorKind};
use dacapo_core::{Variables, port::Ports};
use dacapo_domain::{Requirements, SecretSource};

/// Is true where the function in this process uses a client, if there is one.
static USES_CLIENT: OnceLock<bool> = OnceLock::new();

/// Says that this process serves a function, and whether its definition says that it uses a client.
pub fn within_function(uses_client: bool) {
    let _ = USES_CLIENT.set(uses_client); // A process serves one function.
}

/// The client of the app that the environment names.
///
/// # Errors
/// `Usage` if a variable is missing, or in a function whose definition doesn't say that it uses a client; `NoAccess` if no
/// region is set.
pub async fn client_from_env() -> Result<Client, Error> {
    if USES_CLIENT.get() == Some(&false) {
        let text = "make a client: the function's definition doesn't say that it uses one (add `.uses_client()` to it; a \
            handler's context starts runs and publishes events without)";
        return Err(Error::usage(text));
    }
    Ok(Client::new(ports_from_env().await?))
}

/// The ports that the environment names: the engine's where it says so, else AWS's.
///
/// # Errors
/// As [`client_from_env`].
pub async fn ports_from_env() -> Result<Ports, Error> {
    match variable("DACAPO_LOCAL") {
        Some(url) => local(&url),
        None => aws().await,
    }
}

/// The variables that a function asks for: those of the environment, and on AWS its secrets, all read at once from where
/// `DACAPO_SECRETS` says they are.
///
/// # Errors
/// `Usage` that names every variable without a value; `NotFound` or `NoAccess` for a secret that isn't there or may not be
/// read.
pub async fn variables_from_env(requires: &Requirements) -> Result<Variables, Error> {
    let mut read = BTreeMap::new();
    if let Some(sources) = variable("DACAPO_SECRETS") {
        let sources = serde_json::from_str(&sources)
            .map_err(|error| Error::usage(format_args!("read the secrets that DACAPO_SECRETS names: {error}")))?;
        read = secrets(&sources).await?;
    }
    let variables = Variables::of(requires, |name| read.get(name).cloned().or_else(|| env::var(name).ok()));
    let missing = variables.missing().join(", ");
    if missing.is_empty() {
        return Ok(variables);
    }
    Err(Error::usage(format_args!(
        "start the function: without a value are the variables {missing} (deploy it again, or set them)"
    )))
}

/// A variable of the environment, unless it is empty.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(feature = "local")]
fn local(url: &str) -> Result<Ports, Error> {
    Ok(dacapo_local::client::connect(url))
}

#[cfg(not(feature = "local"))]
fn local(url: &str) -> Result<Ports, Error> {
    let text = format!("connect to DACAPO_LOCAL, {url}: this build is for Lambda (build it with the feature `local`)");
    Err(Error::new(ErrorKind::Usage, text))
}

#[cfg(feature = "lambda")]
async fn aws() -> Result<Ports, Error> {
    let (app, stage) = (needed("DACAPO_APP", "shop")?, needed("DACAPO_STAGE", "dev")?);
    dacapo_domain::check_stack(&app, &stage)
        .map_err(|error| Error::new(ErrorKind::Usage, format_args!("connect: {error}")))?;
    Ok(dacapo_aws::connect(&app, &stage, &dacapo_aws::Access::default()).await?)
}

#[cfg(feature = "lambda")]
async fn secrets(sources: &BTreeMap<String, SecretSource>) -> Result<BTreeMap<String, String>, Error> {
    Ok(dacapo_aws::read_secrets(sources, &dacapo_aws::Access::default()).await?)
}

#[cfg(not(feature = "lambda"))]
#[expect(clippy::unused_async, reason = "the same signature as with AWS")]
async fn secrets(_: &BTreeMap<String, SecretSource>) -> Result<BTreeMap<String, String>, Error> {
    Err(Error::usage("read secrets: this build knows no AWS (build it with the feature `aws`)"))
}

#[cfg(not(feature = "lambda"))]
#[expect(clippy::unused_async, reason = "the same signature as with AWS")]
async fn aws() -> Result<Ports, Error> {
    let text = "connect: DACAPO_LOCAL is not set, and this build knows no AWS (build it with the feature `aws`)";
    Err(Error::new(ErrorKind::Usage, text))
}

#[cfg(feature = "lambda")]
fn needed(name: &str, example: &str) -> Result<String, Error> {
    variable(name).ok_or_else(|| {
        let text = format!(
            "connect: {name} is not set (set it, such as {name}={example}; or DACAPO_LOCAL for a local engine)"
        );
        Error::new(ErrorKind::Usage, text)
    })
}
