//! What is said once: lints and versions in the workspace's manifest, the oldest Rust beside the toolchain that builds.

use std::fs;

use crate::{
    source::none,
    workspace::{packages, root},
};

const TOOLCHAIN: &str = "rust-toolchain.toml";

#[test]
fn every_package_takes_lints_and_versions_from_the_workspace() {
    none(packages().iter().flat_map(|package| own_settings(&package.place(), &package.manifest())).collect());
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    none(unforbidden(&workspace()));
}

#[test]
fn the_toolchain_is_the_oldest_rust_that_the_workspace_supports() {
    none(toolchain(fs::read_to_string(root().join(TOOLCHAIN)).ok().as_deref(), &workspace()));
}

fn workspace() -> toml::Table {
    fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap()
}

/// What a package says for itself that the workspace says for all.
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

/// What is wrong with the toolchain's file, given its text.
fn toolchain(text: Option<&str>, workspace: &toml::Table) -> Vec<String> {
    let oldest = workspace["workspace"]["package"]["rust-version"].as_str().unwrap_or_default();
    let Some(text) = text else {
        return vec![format!("{TOOLCHAIN}: isn't there; add it with `channel = \"{oldest}\"`")];
    };
    let file: toml::Table = match text.parse() {
        Ok(file) => file,
        Err(error) => return vec![format!("{TOOLCHAIN}: is no TOML: {error}")],
    };
    let channel = file.get("toolchain").and_then(|toolchain| toolchain.get("channel")?.as_str());
    match channel {
        Some(channel) if channel == oldest => vec![],
        Some(channel) => vec![format!(
            "{TOOLCHAIN}: builds with {channel}, while Cargo.toml promises rust-version {oldest}; make them equal"
        )],
        None => vec![format!("{TOOLCHAIN}: names no channel; write `channel = \"{oldest}\"` under `[toolchain]`")],
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

#[test]
fn a_toolchain_that_is_absent_unnamed_or_another_is_told() {
    let workspace = "[workspace.package]\nrust-version = \"1.95\"".parse().unwrap();
    let found = |text| toolchain(text, &workspace);
    assert_eq!(found(Some("[toolchain]\nchannel = \"1.95\"")), [""; 0]);
    assert_eq!(found(None), ["rust-toolchain.toml: isn't there; add it with `channel = \"1.95\"`"]);
    assert_eq!(
        found(Some("[toolchain]\nchannel = \"1.96\"")),
        ["rust-toolchain.toml: builds with 1.96, while Cargo.toml promises rust-version 1.95; make them equal"]
    );
    assert_eq!(found(Some("[toolchain]")).len(), 1);
    assert_eq!(found(Some("1.95")).len(), 1);
}
