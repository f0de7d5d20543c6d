//! The workspace's functions, found and built by cargo, and asked what they are.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
};

use dacapo_domain::{FunctionEntry, Manifest};
use dacapo_local::DevFunction;
use serde::Deserialize;
use tokio::process::Command;

use super::variables::Given;
use crate::failure::{CliError, CliResult};

/// The workspace, as `cargo metadata` tells it.
#[derive(Clone, Deserialize)]
pub struct Metadata {
    /// The folder that cargo builds in.
    pub target_directory: PathBuf,
    #[serde(skip)]
    profile: Profile,
    packages: Vec<Package>,
}

/// The profile that functions are built with.
#[derive(Clone, Copy, Default)]
pub enum Profile {
    /// Soon built.
    #[default]
    Debug,
    /// Fast.
    Release,
}

/// A package of the workspace.
#[derive(Clone, Deserialize)]
pub struct Package {
    /// The package's name.
    pub name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Clone, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Dependency {
    /// The folder of one that is on this machine.
    path: Option<PathBuf>,
}

impl Metadata {
    /// Asks cargo for the metadata of the workspace, which is built with this profile.
    ///
    /// # Errors
    /// If cargo isn't there, or the workspace can't be read; cargo has said why.
    pub async fn of(root: &Path, profile: Profile) -> CliResult<Self> {
        // Not `output`, which would take cargo's own words too.
        let child = cargo()
            .current_dir(root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| no_cargo(&error))?;
        let output = child.wait_with_output().await.map_err(|error| no_cargo(&error))?;
        if !output.status.success() {
            return Err(CliError::failed(format!(
                "failed to read the workspace at {} (cargo says why)",
                root.display()
            )));
        }
        let metadata: Self = serde_json::from_slice(&output.stdout)
            .map_err(|error| CliError::failed(format!("failed to read what cargo says of the workspace: {error}")))?;
        Ok(Self { profile, ..metadata })
    }

    /// The packages in `functions/` that make a binary, but the conductor, which is part of the engine.
    pub fn functions(&self, root: &Path) -> Vec<&Package> {
        let folder = root.join("functions");
        let is_function = |it: &&Package| it.manifest_path.starts_with(&folder) && it.name != dacapo_domain::CONDUCTOR;
        self.packages.iter().filter(is_function).filter(|it| it.binary().is_some()).collect()
    }

    /// The binary of this name.
    pub fn file(&self, binary: &str) -> PathBuf {
        let folder = match self.profile {
            Profile::Debug => "debug",
            Profile::Release => "release",
        };
        self.target_directory.join(folder).join(format!("{binary}{}", std::env::consts::EXE_SUFFIX))
    }

    /// The folders of packages, and of all on this machine that they are built from.
    pub fn folders(&self, packages: &[&Package]) -> BTreeSet<PathBuf> {
        let mut left: Vec<&Path> = packages.iter().map(|package| package.folder()).collect();
        let mut folders = BTreeSet::new();
        while let Some(folder) = left.pop() {
            if folders.insert(folder.to_owned()) {
                let packages = self.packages.iter().filter(|package| package.folder() == folder);
                left.extend(packages.flat_map(|it| &it.dependencies).filter_map(|it| it.path.as_deref()));
            }
        }
        folders
    }
}

impl Package {
    fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// The name of its binary.
    pub fn binary(&self) -> Option<&str> {
        self.targets.iter().find(|target| target.kind.iter().any(|kind| kind == "bin")).map(|target| &*target.name)
    }
}

/// Builds functions for the engine alone: AWS's SDK would take minutes. Cargo says by itself how it goes.
///
/// # Errors
/// If one of them doesn't build.
pub async fn build(root: &Path, profile: Profile, functions: &[&Package]) -> CliResult<()> {
    let mut cargo = cargo();
    cargo.current_dir(root).args(["build", "--no-default-features", "--features", "local"]);
    if matches!(profile, Profile::Release) {
        cargo.arg("--release");
    }
    for function in functions {
        cargo.args(["-p", &function.name]);
    }
    let status = cargo.status().await.map_err(|error| no_cargo(&error))?;
    match status.success() {
        true => Ok(()),
        false => Err(CliError::failed("failed to build the functions (cargo says why)")),
    }
}

/// Asks each function's binary what it is.
///
/// # Errors
/// If one can't be run or tells of problems, two have one name, or a variable has no value here.
pub async fn describe(
    app: &str,
    root: &Path,
    workspace: &Metadata,
    functions: &[&Package],
) -> CliResult<(Manifest, Vec<DevFunction>)> {
    let binaries = functions.iter().filter_map(|it| it.binary()).map(|name| workspace.file(name));
    let (app, binaries) = (app.to_owned(), binaries.collect::<Vec<_>>());
    let collected = tokio::task::spawn_blocking(move || dacapo_infra::collect(&app, &binaries)).await;
    let collected =
        collected.map_err(|error| CliError::failed(format!("failed to describe the functions: {error}")))?;
    let manifest = collected.map_err(|error| CliError::failed(error.to_string()))?;
    let variables = Given::read(root)?.of(&manifest.functions)?;
    // A function names its crate by its binary.
    let with_binary = |(entry, variables): (&FunctionEntry, _)| DevFunction {
        binary: workspace.file(&entry.crate_name),
        entry: entry.clone(),
        variables,
    };
    let functions = manifest.functions.iter().zip(variables).map(with_binary).collect();
    Ok((manifest, functions))
}

/// Cargo: the one that runs us, or the one on the path.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.kill_on_drop(true);
    cargo
}

/// The failure of a machine without cargo.
fn no_cargo(error: &std::io::Error) -> CliError {
    CliError::failed(format!(
        "failed to run cargo: {error} (install Rust from https://rustup.rs, or add cargo to the path)"
    ))
}
