//! Why an app can't be run here.

use dacapo_core::port::PortError;
use dacapo_domain::ManifestError;

/// Why an app can't be run on this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevError {
    /// Somebody else listens on the port.
    #[error("port {0} is in use (does `dacapo dev` run already? choose another port with `--port`)")]
    PortInUse(u16),
    /// The port can't be listened on for another reason.
    #[error("failed to listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The functions don't make an app.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The database can't be used.
    #[error(transparent)]
    Database(#[from] PortError),
}
