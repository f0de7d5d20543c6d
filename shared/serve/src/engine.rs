//! The tie to the embedded engine, where one started this process.

use std::process::ExitCode;

#[cfg(feature = "local")]
use dacapo_client::variable;

/// The invocations that the engine gives which started this process; `None` on Lambda.
#[cfg(feature = "local")]
pub(crate) fn turns() -> Option<dacapo_local::client::Turns> {
    variable("DACAPO_LOCAL")?;
    variable("AWS_LAMBDA_RUNTIME_API").map(|runtime_api| dacapo_local::client::Turns::new(&runtime_api))
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
