//! The committed manifest is what the functions say, and the committed template what becomes of it. `make template`,
//! which is this test with `UPDATE=1`, writes both.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use dacapo_domain::Manifest;
use dacapo_infra::{OwnResources, collect, template};

#[test]
fn committed_manifest_and_template_are_what_the_functions_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = sample(folder.parent().unwrap());
    let own = fs::read_to_string(folder.join("resources.yaml")).map_or_else(
        |_| OwnResources::default(),
        |text| OwnResources::read(&text).unwrap_or_else(|error| panic!("{error}")),
    );
    let template = template(&said, &own).unwrap().to_text();
    check(&folder.join("manifest.json"), &(serde_json::to_string_pretty(&said).unwrap() + "\n"));
    check(&folder.join("template.json"), &template);
}

/// The manifest of the sample's functions, as they say it.
fn sample(top: &Path) -> Manifest {
    let crates = crates(&top.join("functions"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(top).args(["build", "--quiet"]).args(crates.iter().flat_map(|name| ["--package", name]));
    // Build scripts ask for these: another value than outside a test would compile them and what needs them anew.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        cargo.env_remove(name);
    }
    cargo.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH").env_remove("CARGO_MANIFEST_LINKS");
    assert!(cargo.status().unwrap().success(), "the functions don't build");

    // This test's own binary is in the folder `deps` beside the functions' binaries.
    let test = env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap();
    let binaries: Vec<PathBuf> = crates.iter().map(|name| built.join(name)).collect();
    collect("sample", &binaries).unwrap_or_else(|error| panic!("{error}"))
}

fn crates(functions: &Path) -> Vec<String> {
    let entries = fs::read_dir(functions).unwrap().map(|entry| entry.unwrap());
    let crates = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
    crates.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn check(file: &Path, wanted: &str) {
    if env::var_os("UPDATE").is_some() {
        fs::write(file, wanted).unwrap();
    }
    let committed = fs::read_to_string(file).unwrap_or_default();
    let first = committed.lines().zip(wanted.lines()).find(|(committed, wanted)| committed != wanted);
    assert!(
        committed == wanted,
        "{} is not what the functions say (run `make template`); first difference: {first:?}",
        file.display()
    );
}
