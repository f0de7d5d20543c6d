//! From the environment to ports, and to a client over them.

use std::{env, process::ExitCode};

use dacapo::{Client, Error, ErrorKind};
use dacapo_core::port::Ports;

/// The client of the app that the environment names, for any program: `DACAPO_APP` and `DACAPO_STAGE` with AWS
/// credentials, or `DACAPO_LOCAL` with a running engine.
///
/// ```no_run
/// # async fn start() -> Result<(), dacapo::Error> {
/// let client = dacapo_serve::client_from_env().await?;
/// let manifest = client.manifest().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Usage` if a variable is missing, `NoAccess` if no region is set.
pub async fn client_from_env() -> Result<Client, Error> {
    Ok(Client::new(from_env().await?))
}

/// The ports that the environment names: the engine's where it says so, else AWS's.
pub(crate) async fn from_env() -> Result<Ports, Error> {
    match variable("DACAPO_LOCAL") {
        Some(url) => local(&url),
        None => aws().await,
    }
}

/// A variable of the environment, unless it is empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(feature = "local")]
fn local(url: &str) -> Result<Ports, Error> {
    Ok(dacapo_local::client::connect(url))
}

/// Ends this process once the engine that started it is gone. AWS needs nothing of the kind.
pub(crate) fn end_with_engine() {
    #[cfg(feature = "local")]
    if let (Some(url), Some(runtime_api)) = (variable("DACAPO_LOCAL"), variable("AWS_LAMBDA_RUNTIME_API")) {
        tokio::spawn(async move {
            dacapo_local::client::gone(&runtime_api).await;
            tracing::error!("the engine at {url} is gone");
            dacapo_local::client::end()
        });
    }
}

/// Ends this process, which serves no more; where an engine started it, with all that it has started itself.
pub(crate) fn end() -> ExitCode {
    #[cfg(feature = "local")]
    if variable("DACAPO_LOCAL").is_some() {
        dacapo_local::client::end()
    }
    ExitCode::FAILURE
}

#[cfg(not(feature = "local"))]
fn local(url: &str) -> Result<Ports, Error> {
    let text = format!(
        "connect to DACAPO_LOCAL, {url}: this build is for Lambda (build with `dacapo-serve`'s feature `local`)"
    );
    Err(Error::new(ErrorKind::Usage, text))
}

#[cfg(feature = "aws")]
async fn aws() -> Result<Ports, Error> {
    let (app, stage) = (needed("DACAPO_APP", "shop")?, needed("DACAPO_STAGE", "dev")?);
    dacapo_domain::check_stack(&app, &stage)
        .map_err(|error| Error::new(ErrorKind::Usage, format_args!("connect: {error}")))?;
    Ok(dacapo_aws::connect(&app, &stage, &dacapo_aws::Access::default()).await?)
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "the same signature as with AWS")]
async fn aws() -> Result<Ports, Error> {
    let text =
        "connect: DACAPO_LOCAL is not set, and this build knows no AWS (build with `dacapo-serve`'s feature `aws`)";
    Err(Error::new(ErrorKind::Usage, text))
}

#[cfg(feature = "aws")]
fn needed(name: &str, example: &str) -> Result<String, Error> {
    variable(name).ok_or_else(|| {
        let text = format!(
            "connect: {name} is not set (set it, such as {name}={example}; or DACAPO_LOCAL for a local engine)"
        );
        Error::new(ErrorKind::Usage, text)
    })
}
