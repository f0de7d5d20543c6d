//! The workspace of an app: the nearest folder upwards whose Cargo.toml stands beside `functions/`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::{CliError, CliResult};

/// Finds the workspace that a folder is in.
pub fn root(from: &Path) -> Option<PathBuf> {
    from.ancestors()
        .find(|folder| folder.join("Cargo.toml").is_file() && folder.join("functions").is_dir())
        .map(Into::into)
}

/// Finds the workspace that the command was called in.
///
/// # Errors
/// As usage, if there is none.
pub fn here() -> CliResult<PathBuf> {
    let folder = std::env::current_dir()
        .map_err(|error| CliError::failed(format!("failed to find the current folder: {error}")))?;
    root(&folder).ok_or_else(|| {
        let text = "no Cargo.toml with a folder functions/ beside it, at or above";
        CliError::usage(format!("{text} {} (go into the app's workspace)", folder.display()))
    })
}

#[derive(Deserialize)]
struct CargoToml {
    workspace: Option<Workspace>,
}

#[derive(Deserialize)]
struct Workspace {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    dacapo: Option<Dacapo>,
}

#[derive(Deserialize)]
struct Dacapo {
    app: Option<String>,
}

/// The app's name, as the workspace's Cargo.toml says it under `workspace.metadata.dacapo`.
///
/// # Errors
/// As usage, if it doesn't.
pub fn app(root: &Path) -> CliResult<String> {
    let file = root.join("Cargo.toml");
    let read = std::fs::read_to_string(&file).map_err(|error| error.to_string());
    let parsed = read.and_then(|text| toml::from_str::<CargoToml>(&text).map_err(|error| error.to_string()));
    let parsed = parsed.map_err(|error| CliError::usage(format!("failed to read {}: {error}", file.display())))?;
    let app = parsed.workspace.and_then(|it| it.metadata).and_then(|it| it.dacapo).and_then(|it| it.app);
    app.ok_or_else(|| {
        let text = format!("{} doesn't name the app", file.display());
        CliError::usage(format!("{text} (add [workspace.metadata.dacapo] with app = \"…\", or use --app)"))
    })
}
