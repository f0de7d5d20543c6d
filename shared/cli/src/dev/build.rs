//! Building functions, and asking them what they are.

use std::path::{Path, PathBuf};

use dacapo_domain::Manifest;
use dacapo_local::DevFunction;

use super::{
    Package,
    cargo::{cargo, no_cargo},
};
use crate::failure::{Done, Failure};

/// Builds functions for the engine alone: AWS's SDK would take minutes. Cargo says by itself how it goes.
///
/// # Errors
/// If one of them doesn't build.
pub fn build(root: &Path, functions: &[&Package]) -> Done<()> {
    let mut cargo = cargo();
    cargo.current_dir(root).args(["build", "--no-default-features", "--features", "local"]);
    for function in functions {
        cargo.args(["-p", &function.name]);
    }
    let status = cargo.status().map_err(|error| no_cargo(&error))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::failed("failed to build the functions (cargo says why)")),
    }
}

/// Asks each function's binary what it is.
///
/// # Errors
/// If one can't be run or tells of problems, or two have one name.
pub fn describe(app: &str, target: &Path, functions: &[&Package]) -> Done<(Manifest, Vec<DevFunction>)> {
    let folder = target.join("debug");
    let file = |name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let binaries: Vec<PathBuf> = functions.iter().filter_map(|it| it.binary()).map(file).collect();
    let manifest = dacapo_infra::collect(app, &binaries).map_err(|error| Failure::failed(error.to_string()))?;
    // A function names its crate by its binary.
    let with_binary =
        |entry: &dacapo_domain::FunctionEntry| DevFunction { binary: file(&entry.crate_name), entry: entry.clone() };
    let functions = manifest.functions.iter().map(with_binary).collect();
    Ok((manifest, functions))
}
