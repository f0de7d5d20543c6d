//! The scripts that come with this crate, run for the workspace that the program is called in.

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Runs a script, by its path from the top of the sources that this crate is of. One that fails has said why.
///
/// The crate may have come from another folder, or from git: the scripts are where cargo has put its sources.
pub(crate) fn run(script: &str, argument: Option<&str>) -> Result<ExitCode, Box<dyn Error>> {
    let path = sources().join(script);
    let status = Command::new("sh")
        .arg(&path)
        .args(argument)
        .env("DACAPO_INFRA", env::current_exe()?)
        // Without it, what they install would go where the sources are.
        .env("CARGO_TARGET_DIR", target()?)
        .status()
        .map_err(|error| format!("can't run {}: {error}", path.display()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn sources() -> PathBuf {
    let infra = Path::new(env!("CARGO_MANIFEST_DIR"));
    infra.parent().unwrap_or(infra).to_owned()
}

/// The folder that the workspace is built in.
fn target() -> std::io::Result<PathBuf> {
    let given = env::var_os("CARGO_TARGET_DIR").filter(|given| !given.is_empty());
    Ok(env::current_dir()?.join(given.unwrap_or_else(|| "target".into())))
}
