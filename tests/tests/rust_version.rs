//! The minimum Rust version is said in several places, and is the same in all of them.

#![expect(clippy::expect_used, reason = "what fails ends the test")]

use std::{fs, path::Path};

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|top| top.join(file));
    fs::read_to_string(path.expect("the package is in a folder")).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn table(file: &str) -> toml::Table {
    read(file).parse().unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The version that `Cargo.toml` promises, as `1.95`.
fn minimum() -> String {
    table("Cargo.toml")["workspace"]["package"]["rust-version"].as_str().expect("a text").to_owned()
}

#[test]
fn toolchain_of_the_repository_is_the_minimum_with_a_patch_level() {
    let (toolchain, minimum) = (table("rust-toolchain.toml"), minimum());
    let channel = toolchain["toolchain"]["channel"].as_str().expect("a text");
    let patch = channel.strip_prefix(&format!("{minimum}."));
    assert!(
        patch.is_some_and(|patch| patch.parse::<u32>().is_ok()),
        "rust-toolchain.toml says {channel}, Cargo.toml {minimum}"
    );
}

/// Clippy takes it from `Cargo.toml` where its own file says none.
#[test]
fn clippy_knows_no_other_minimum() {
    let clippy = table(".clippy.toml");
    let msrv = clippy.get("msrv").map(|msrv| msrv.as_str().unwrap_or_default().to_owned());
    assert!(msrv.is_none_or(|msrv| msrv == minimum()), ".clippy.toml says another msrv than Cargo.toml");
}

#[test]
fn workflow_builds_with_exactly_what_cargo_toml_promises() {
    let workflow = read(".github/workflows/ci.yml");
    assert!(workflow.contains(r#"sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml"#), "the job reads Cargo.toml");
    assert_eq!(read("Cargo.toml").matches("\nrust-version = \"").count(), 1, "the job finds one line");
    assert_eq!(versions(&workflow), [""; 0], "the workflow says no version of its own");
}

#[test]
fn texts_name_no_other_version() {
    let minimum = minimum();
    assert!(versions(&read("CONTRIBUTING.md")).contains(&minimum), "CONTRIBUTING.md says which Rust is needed");
    for file in ["README.md", "CONTRIBUTING.md"] {
        for version in versions(&read(file)) {
            assert_eq!(version, minimum, "{file} says Rust {version}, Cargo.toml {minimum}");
        }
    }
}

/// The versions in a text, as `Rust 1.95` says them.
fn versions(text: &str) -> Vec<String> {
    let after = text.split("Rust ").skip(1);
    let versions = after.map(|rest| rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default());
    versions.map(|version| version.trim_end_matches('.').to_owned()).filter(|version| version.contains('.')).collect()
}
