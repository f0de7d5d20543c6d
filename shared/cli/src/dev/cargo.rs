//! What cargo says of the workspace.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use crate::failure::{Done, Failure};

/// The workspace, as `cargo metadata` tells it.
#[derive(Deserialize)]
pub struct Metadata {
    /// Where cargo builds.
    pub target_directory: PathBuf,
    packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Metadata {
    /// Asks cargo.
    ///
    /// # Errors
    /// If cargo isn't there, or the workspace can't be read; cargo has said why.
    pub fn of(root: &Path) -> Done<Self> {
        let output = cargo()
            .current_dir(root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stderr(std::process::Stdio::inherit())
            .output()
            .map_err(|error| no_cargo(&error))?;
        if !output.status.success() {
            return Err(Failure::failed(format!(
                "failed to read the workspace at {} (cargo says why)",
                root.display()
            )));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::failed(format!("failed to read what cargo says of the workspace: {error}")))
    }

    /// The packages in `functions/` that make a binary, but the conductor, which is part of the engine.
    pub fn functions(&self, root: &Path) -> Vec<&Package> {
        let folder = root.join("functions");
        let is_function = |it: &&Package| it.manifest_path.starts_with(&folder) && it.name != dacapo_domain::CONDUCTOR;
        self.packages.iter().filter(is_function).filter(|it| it.binary().is_some()).collect()
    }
}

impl Package {
    /// The name of its binary.
    pub fn binary(&self) -> Option<&str> {
        self.targets.iter().find(|target| target.kind.iter().any(|kind| kind == "bin")).map(|target| &*target.name)
    }
}

/// Cargo: the one that runs us, or the one on the path.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The failure of a machine without cargo.
pub fn no_cargo(error: &std::io::Error) -> Failure {
    Failure::failed(format!(
        "failed to run cargo: {error} (install Rust from https://rustup.rs, or add cargo to the path)"
    ))
}
