//! `dacapo dev` in a workspace of its own, whose one function is a script.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dacapo_domain::{FunctionEntry, Policy, TaskEntry, seconds};

use crate::dacapo::call;

#[test]
fn function_built_again_with_other_options_is_served_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let hello = workspace(folder.path());
    let (port, database) = (free_port(), folder.path().join("app.sqlite"));
    describes_itself(&hello, 30);

    let line = format!("dev --no-build --port {port} --database {}", database.display());
    let target = hello.ancestors().nth(2).unwrap().display().to_string();
    let _dev = call(&line).within(folder.path()).env("CARGO_TARGET_DIR", &target).runs();
    let timeout = || {
        let said = call("manifest --local --json").env("DACAPO_LOCAL", &format!("http://127.0.0.1:{port}")).said();
        if said.code != 0 {
            return None;
        }
        said.json()["functions"].as_array().unwrap().iter().find_map(|function| {
            (function["name"] == "hello").then(|| function["holds"]["task"]["policy"]["timeoutMs"].as_u64().unwrap())
        })
    };
    becomes(timeout, 30_000);
    describes_itself(&hello, 60);
    becomes(timeout, 60_000);
}

/// Reads until it is so.
fn becomes(read: impl Fn() -> Option<u64>, wanted: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while read() != Some(wanted) {
        assert!(Instant::now() < deadline, "{:?} instead of {wanted}", read());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A workspace of one function; returns the place of its binary.
fn workspace(folder: &Path) -> PathBuf {
    let package = folder.join("functions/hello");
    fs::create_dir_all(package.join("src")).unwrap();
    let workspace =
        "[workspace]\nresolver = \"3\"\nmembers = [\"functions/*\"]\n[workspace.metadata.dacapo]\napp = \"greeter\"\n";
    fs::write(folder.join("Cargo.toml"), workspace).unwrap();
    fs::write(package.join("Cargo.toml"), "[package]\nname = \"hello\"\nedition = \"2024\"\n").unwrap();
    fs::write(package.join("src/main.rs"), "fn main() {}\n").unwrap();
    let debug = folder.join("target/debug");
    fs::create_dir_all(&debug).unwrap();
    debug.join("hello")
}

/// Puts a binary there that says this of itself.
fn describes_itself(binary: &Path, timeout_s: u64) {
    let policy = Policy { timeout: seconds(timeout_s), ..Policy::default() };
    let task = TaskEntry { name: "hello".to_owned(), policy, private: false, schedules: vec![] };
    let entry = serde_json::to_string(&FunctionEntry::task("hello", 256, task)).unwrap();
    let fresh = binary.with_extension("new");
    fs::write(&fresh, format!("#!/bin/sh\necho '{entry}'\n")).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(fresh, binary).unwrap();
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
