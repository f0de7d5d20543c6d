//! The workspace's functions, found and built by cargo, and asked what they are.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use dacapo_domain::Manifest;
use dacapo_local::DevFunction;
use serde::Deserialize;

use crate::failure::{CliError, CliResult};

/// The workspace, as `cargo metadata` tells it.
#[derive(Deserialize)]
pub struct Metadata {
    /// The folder that cargo builds in.
    pub target_directory: PathBuf,
    packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Deserialize)]
pub struct Package {
    /// The package's name.
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
    /// Asks cargo for the workspace's metadata.
    ///
    /// # Errors
    /// If cargo isn't there, or the workspace can't be read; cargo has said why.
    pub fn of(root: &Path) -> CliResult<Self> {
        let output = cargo()
            .current_dir(root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stderr(std::process::Stdio::inherit())
            .output()
            .map_err(|error| no_cargo(&error))?;
        if !output.status.success() {
            return Err(CliError::failed(format!(
                "failed to read the workspace at {} (cargo says why)",
                root.display()
            )));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| CliError::failed(format!("failed to read what cargo says of the workspace: {error}")))
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

/// Builds functions for the engine alone: AWS's SDK would take minutes. Cargo says by itself how it goes.
///
/// # Errors
/// If one of them doesn't build.
pub fn build(root: &Path, functions: &[&Package]) -> CliResult<()> {
    let mut cargo = cargo();
    cargo.current_dir(root).args(["build", "--no-default-features", "--features", "local"]);
    for function in functions {
        cargo.args(["-p", &function.name]);
    }
    let status = cargo.status().map_err(|error| no_cargo(&error))?;
    match status.success() {
        true => Ok(()),
        false => Err(CliError::failed("failed to build the functions (cargo says why)")),
    }
}

/// Asks each function's binary what it is.
///
/// # Errors
/// If one can't be run or tells of problems, or two have one name.
pub fn describe(app: &str, target: &Path, functions: &[&Package]) -> CliResult<(Manifest, Vec<DevFunction>)> {
    let folder = target.join("debug");
    let file = |name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let binaries: Vec<PathBuf> = functions.iter().filter_map(|it| it.binary()).map(file).collect();
    let manifest = dacapo_infra::collect(app, &binaries).map_err(|error| CliError::failed(error.to_string()))?;
    // A function names its crate by its binary.
    let with_binary =
        |entry: &dacapo_domain::FunctionEntry| DevFunction { binary: file(&entry.crate_name), entry: entry.clone() };
    let functions = manifest.functions.iter().map(with_binary).collect();
    Ok((manifest, functions))
}

/// Cargo: the one that runs us, or the one on the path.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The failure of a machine without cargo.
fn no_cargo(error: &std::io::Error) -> CliError {
    CliError::failed(format!(
        "failed to run cargo: {error} (install Rust from https://rustup.rs, or add cargo to the path)"
    ))
}
