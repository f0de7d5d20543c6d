//! The law of the house (DESIGN §1): which crate may know which, who alone may name a library, and what every
//! manifest and every function's `main` has in common. What is deliberately absent is tested here.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

#[path = "law/workspace.rs"]
mod workspace;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use workspace::{Kind, Package, packages, root};

/// A crate of ours and those of ours that it may use; its tests apart.
const MAY_USE: &[(&str, &[&str])] = &[
    ("dacapo-domain", &[]),
    ("dacapo", &["dacapo-domain"]),
    ("dacapo-aws", &["dacapo-domain", "dacapo"]),
    ("dacapo-lambda", &["dacapo-domain", "dacapo"]),
    ("dacapo-local", &["dacapo-domain", "dacapo"]),
    ("dacapo-serve", &["dacapo-domain", "dacapo", "dacapo-lambda", "dacapo-aws", "dacapo-local"]),
    ("dacapo-dashboard", &["dacapo-domain", "dacapo"]),
    ("dacapo-infra", &["dacapo-domain"]),
    (
        "dacapo-cli",
        &[
            "dacapo-domain",
            "dacapo",
            "dacapo-aws",
            "dacapo-local",
            "dacapo-serve",
            "dacapo-dashboard",
            "dacapo-infra",
            "app",
        ],
    ),
    ("app", &["dacapo"]),
];

/// What a function may use.
const FUNCTION_MAY_USE: &[&str] = &["dacapo", "dacapo-serve", "app"];

/// Libraries that a few crates alone may name, by the beginning of their name.
const ALONE: &[(&str, &[&str])] = &[
    ("aws-", &["dacapo-aws", "dacapo-tests"]),
    ("aws_lambda_events", &["dacapo-lambda", "dacapo-tests"]),
    ("lambda_runtime", &["dacapo-lambda", "dacapo-tests"]),
    ("rusqlite", &["dacapo-local"]),
    ("clap", &["dacapo-cli", "dacapo-infra"]),
    ("indicatif", &["dacapo-cli"]),
    ("maud", &["dacapo-dashboard"]),
    ("croner", &["dacapo-domain"]),
];

/// What the domain may name: time, data, errors.
const DOMAIN_MAY_NAME: &[&str] = &["jiff", "serde", "serde_json", "thiserror", "ulid"];

/// What the domain never does: wait, read a clock or the environment, roll dice, touch files or the network.
const DOMAIN_NEVER_SAYS: &[&str] = &[
    "async fn",
    ".await",
    "Timestamp::now",
    "Zoned::now",
    "SystemTime",
    "Instant::now",
    "std::env",
    "std::fs",
    "std::net",
    "std::thread",
    "fastrand",
    "println!",
];

/// What stands at the top.
const TOP: &[&str] = &[
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "functions",
    "infra",
    "rust-toolchain.toml",
    "shared",
    "target",
    "tests",
];

#[test]
fn each_crate_uses_only_those_that_the_table_names() {
    let ours: BTreeSet<String> = packages().into_iter().map(|package| package.name).collect();
    let broken = broken(|package| {
        let allowed = match MAY_USE.iter().find(|(name, _)| *name == package.name) {
            Some((_, allowed)) => allowed,
            None if package.is_in("functions") => FUNCTION_MAY_USE,
            None if package.is_in("tests") => return vec![],
            None => return vec![format!("{} stands in no row of the table", package.name)],
        };
        let used = package.uses(Kind::Product).filter(|used| ours.contains(*used));
        let wrong = used.filter(|used| !allowed.contains(used));
        wrong.map(|used| format!("{} uses {used} (it may use {})", package.name, allowed.join(", "))).collect()
    });
    assert_eq!(broken, [""; 0]);
}

#[test]
fn tests_may_look_up_the_order_of_the_crates_but_only_at_the_test_kit_and_other_functions() {
    let ours: BTreeSet<String> = packages().into_iter().map(|package| package.name).collect();
    let functions: BTreeSet<String> =
        packages().into_iter().filter(|package| package.is_in("functions")).map(|package| package.name).collect();
    let broken = broken(|package| {
        let below = MAY_USE.iter().find(|(name, _)| *name == package.name).map_or(&[][..], |(_, allowed)| allowed);
        let used = package.uses(Kind::Test).filter(|used| ours.contains(*used));
        let wrong = used.filter(|used| {
            *used != "dacapo-local" && !below.contains(used) && !functions.contains(*used) && *used != "app"
        });
        wrong.map(|used| format!("the tests of {} use {used}", package.name)).collect()
    });
    assert_eq!(broken, [""; 0]);
}

#[test]
fn some_libraries_are_named_by_few() {
    let broken = broken(|package| {
        let mut wrong = vec![];
        for (library, allowed) in ALONE {
            let named = package.uses(Kind::Product).chain(package.uses(Kind::Test));
            for used in named.filter(|used| used.starts_with(library)) {
                if !allowed.contains(&package.name.as_str()) {
                    wrong.push(format!("{} names {used}, which is for {} alone", package.name, allowed.join(", ")));
                }
            }
        }
        wrong
    });
    assert_eq!(broken, [""; 0]);
}

#[test]
fn the_domain_knows_no_async_no_clock_no_environment_and_no_chance() {
    let domain = package("dacapo-domain");
    let named: Vec<&str> = domain.uses(Kind::Product).filter(|used| !DOMAIN_MAY_NAME.contains(used)).collect();
    assert_eq!(named, [""; 0], "the domain names other libraries than {DOMAIN_MAY_NAME:?}");

    assert_eq!(said(&domain, DOMAIN_NEVER_SAYS), [""; 0]);
}

#[test]
fn the_sdk_touches_neither_files_nor_the_network() {
    let outside = ["std::fs", "std::net", "std::env", "tokio::fs", "tokio::net"];
    assert_eq!(said(&package("dacapo"), &outside), [""; 0]);
}

#[test]
fn a_build_for_lambda_needs_neither_the_local_engine_nor_its_store() {
    let local = package("dacapo-local");
    let always: Vec<&str> = local.always().filter(|used| ["rusqlite", "axum", "hyper"].contains(used)).collect();
    assert_eq!(always, [""; 0], "the engine is a feature of the local crate");
    for dependency in package("dacapo-serve").dependencies {
        if dependency.name == "dacapo-local" {
            assert!(!dependency.features.contains(&"engine".to_owned()), "serve takes the engine's client alone");
        }
    }
}

#[test]
fn the_top_is_what_the_design_draws() {
    let mut other: Vec<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str()))
        .collect();
    other.sort();
    assert_eq!(other, [""; 0], "at the top of the repository stands what DESIGN §1 doesn't draw");
}

#[test]
fn every_package_takes_lints_and_versions_from_the_workspace() {
    let mut wrong = vec![];
    for package in packages() {
        let manifest = package.manifest();
        if manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) != Some(true) {
            wrong.push(format!("{} has no `lints.workspace = true`", package.name));
        }
        for field in ["version", "edition", "rust-version", "license"] {
            let inherited = manifest["package"].get(field).and_then(|value| value.get("workspace"));
            if inherited.and_then(toml::Value::as_bool) != Some(true) {
                wrong.push(format!("{} says its own {field}", package.name));
            }
        }
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, wanted) in manifest.get(table).and_then(toml::Value::as_table).into_iter().flatten() {
                // Another function, for a test, has no version at all.
                if wanted.as_str().is_some() || wanted.get("version").is_some() {
                    wrong.push(format!("{} says its own version of {name}", package.name));
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let workspace: toml::Table = text.parse().unwrap();
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}

#[test]
fn the_main_of_a_function_is_at_most_three_statements() {
    for package in packages().into_iter().filter(|package| package.is_in("functions") || package.is_in("tests/lambdas"))
    {
        let file = package.folder.join("src/main.rs");
        let text = fs::read_to_string(&file).unwrap();
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let (before, body) = code.split_once("fn main").expect("a binary has a main");
        let body = body.split_once('{').unwrap().1.rsplit_once('}').unwrap().0;
        let statements = body.split(';').filter(|statement| !statement.trim().is_empty()).count();
        assert!(statements <= 3, "{} has {statements} statements", file.display());
        assert!(!before.contains("fn ") && !body.contains("fn "), "{} holds more than main", file.display());
    }
}

/// What is wrong in all of the packages.
fn broken(law: impl Fn(&Package) -> Vec<String>) -> Vec<String> {
    packages().iter().flat_map(law).collect()
}

fn package(name: &str) -> Package {
    packages().into_iter().find(|package| package.name == name).unwrap_or_else(|| panic!("there is a package {name}"))
}

/// Where a package's code says one of these words. Its documentation may, in an example.
fn said(package: &Package, words: &[&str]) -> Vec<String> {
    let mut said = vec![];
    for file in sources(&package.folder.join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let found = words.iter().filter(|word| line.contains(**word));
            said.extend(found.map(|word| format!("{}:{} says {word}", file.display(), number + 1)));
        }
    }
    said
}

/// All Rust files under a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
