//! The things said once: lints and versions in the workspace's manifest, the lint against unsafe code.

use std::fs;

use crate::{
    source::none,
    workspace::{packages, root},
};

#[test]
fn every_package_takes_lints_and_versions_from_the_workspace() {
    none(packages().iter().flat_map(|package| own_settings(&package.place(), &package.manifest())).collect());
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    none(unforbidden(&workspace()));
}

fn workspace() -> toml::Table {
    fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap()
}

/// The settings that a package says for itself and the workspace says for all.
fn own_settings(place: &str, manifest: &toml::Table) -> Vec<String> {
    let is_inherited = |value: Option<&toml::Value>| {
        value.and_then(|value| value.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
    };
    let mut found = vec![];
    if !is_inherited(manifest.get("lints")) {
        found.push(format!("{place}: has no `lints.workspace = true`; add it"));
    }
    for field in ["version", "edition", "rust-version", "license"] {
        if !is_inherited(manifest["package"].get(field)) {
            found.push(format!("{place}: says its own {field}; write `{field}.workspace = true`"));
        }
    }
    for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, wanted) in manifest.get(table).and_then(toml::Value::as_table).into_iter().flatten() {
            // Another function, for a test, has no version at all.
            if wanted.as_str().is_some() || wanted.get("version").is_some() {
                found.push(format!("{place}: says its own version of {name}; say it in `workspace.dependencies`"));
            }
        }
    }
    found
}

fn unforbidden(workspace: &toml::Table) -> Vec<String> {
    let lint = workspace["workspace"].get("lints").and_then(|lints| lints.get("rust")?.get("unsafe_code")?.as_str());
    match lint {
        Some("forbid") => vec![],
        _ => vec!["Cargo.toml: doesn't forbid unsafe code; write `unsafe_code = \"forbid\"` in its lints".to_owned()],
    }
}

#[test]
fn a_manifest_that_inherits_everything_is_passed_and_its_own_settings_are_told() {
    let head = "[package]\nedition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n";
    let good =
        "version.workspace = true\n[lints]\nworkspace = true\n[dependencies]\na.workspace = true\nb = { path = \"b\" }";
    assert_eq!(own_settings("a/Cargo.toml", &format!("{head}{good}").parse().unwrap()), [""; 0]);

    let bad = "version = \"1.0.0\"\n[dev-dependencies]\na = \"1\"\nb = { version = \"2\" }";
    assert_eq!(
        own_settings("a/Cargo.toml", &format!("{head}{bad}").parse().unwrap()),
        [
            "a/Cargo.toml: has no `lints.workspace = true`; add it",
            "a/Cargo.toml: says its own version; write `version.workspace = true`",
            "a/Cargo.toml: says its own version of a; say it in `workspace.dependencies`",
            "a/Cargo.toml: says its own version of b; say it in `workspace.dependencies`",
        ]
    );
}

#[test]
fn unsafe_code_that_is_only_denied_is_told() {
    let workspace = |level: &str| format!("[workspace.lints.rust]\nunsafe_code = \"{level}\"").parse().unwrap();
    assert_eq!(unforbidden(&workspace("forbid")), [""; 0]);
    assert_eq!(unforbidden(&workspace("deny")).len(), 1);
    assert_eq!(unforbidden(&"[workspace]".parse().unwrap()).len(), 1);
}
