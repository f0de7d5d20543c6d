//! The workspace, as Cargo tells it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use crate::source::relative;

/// A package of the workspace.
#[derive(Debug, Deserialize)]
pub struct Package {
    pub name: String,
    pub dependencies: Vec<Dependency>,
    manifest_path: PathBuf,
    #[serde(skip)]
    pub folder: PathBuf,
}

/// A package that another depends on directly.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    pub name: String,
    #[serde(default)]
    pub features: Vec<String>,
    kind: Option<String>,
    optional: bool,
}

/// The code that a dependency is for.
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
    /// The direct dependencies of a kind.
    pub fn uses(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let is_test = |dependency: &&Dependency| dependency.kind.as_deref() == Some("dev");
        let wanted = move |dependency: &&Dependency| is_test(dependency) == (kind == Kind::Test);
        self.dependencies.iter().filter(wanted).map(|dependency| dependency.name.as_str())
    }

    /// The direct dependencies without any of the package's features.
    pub fn always(&self) -> impl Iterator<Item = &str> {
        let product = self.dependencies.iter().filter(|dependency| dependency.kind.is_none());
        product.filter(|dependency| !dependency.optional).map(|dependency| dependency.name.as_str())
    }

    /// Is true where it lies in this folder of the repository.
    pub fn is_in(&self, folder: &str) -> bool {
        self.folder.starts_with(root().join(folder))
    }

    /// The package's `Cargo.toml`.
    pub fn manifest(&self) -> toml::Table {
        fs::read_to_string(&self.manifest_path).unwrap().parse().unwrap()
    }

    /// The place of its `Cargo.toml`, as findings tell it.
    pub fn place(&self) -> String {
        relative(&self.manifest_path)
    }

    /// A package for a rule's own tests.
    pub fn sample(name: &str, folder: &str, product: &[&str], test: &[&str]) -> Self {
        let dependency = |kind: Option<&str>, name: &str| Dependency {
            name: name.to_owned(),
            features: vec![],
            kind: kind.map(str::to_owned),
            optional: false,
        };
        let of_product = product.iter().map(|name| dependency(None, name));
        let of_tests = test.iter().map(|name| dependency(Some("dev"), name));
        let folder = root().join(folder);
        Self {
            name: name.to_owned(),
            dependencies: of_product.chain(of_tests).collect(),
            manifest_path: folder.join("Cargo.toml"),
            folder,
        }
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

/// All packages that one needs to be built with all its features, its own name among them.
pub fn tree(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--all-features", "--package", package])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The top of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
