use dacapo::{Client, Error};

use crate::ports;

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
    Ok(Client::new(ports::from_env().await?))
}
