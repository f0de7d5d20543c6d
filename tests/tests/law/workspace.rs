//! The workspace, as Cargo tells it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

/// A package of the workspace.
#[derive(Debug, Deserialize)]
pub struct Package {
    pub name: String,
    pub dependencies: Vec<Dependency>,
    manifest_path: PathBuf,
    #[serde(skip)]
    pub folder: PathBuf,
}

/// What a package depends on directly.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    pub name: String,
    pub features: Vec<String>,
    kind: Option<String>,
    optional: bool,
}

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Product,
    Test,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

impl Package {
    /// What it depends on directly.
    pub fn uses(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let is_test = |dependency: &&Dependency| dependency.kind.as_deref() == Some("dev");
        let wanted = move |dependency: &&Dependency| is_test(dependency) == (kind == Kind::Test);
        self.dependencies.iter().filter(wanted).map(|dependency| dependency.name.as_str())
    }

    /// What it depends on directly without any of its features.
    pub fn always(&self) -> impl Iterator<Item = &str> {
        let product = self.dependencies.iter().filter(|dependency| dependency.kind.is_none());
        product.filter(|dependency| !dependency.optional).map(|dependency| dependency.name.as_str())
    }

    /// Whether it lies in this folder of the repository.
    pub fn is_in(&self, folder: &str) -> bool {
        self.folder.starts_with(root().join(folder))
    }

    /// Its `Cargo.toml`.
    pub fn manifest(&self) -> toml::Table {
        fs::read_to_string(&self.manifest_path).unwrap().parse().unwrap()
    }
}

/// All packages of the workspace.
pub fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    for package in &mut metadata.packages {
        package.folder = package.manifest_path.parent().unwrap().to_owned();
    }
    metadata.packages
}

/// The top of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
