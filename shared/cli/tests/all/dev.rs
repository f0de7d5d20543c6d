//! `dacapo dev` in a workspace of its own, whose one function is a script.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dacapo_domain::{FunctionEntry, Policy, Requirements, TaskEntry, seconds};

use crate::dacapo::{Call, Running, call};

#[test]
fn function_built_again_with_other_options_is_served_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let hello = workspace(folder.path());
    describes_itself(&hello, 30);
    let dev = Dev::start(folder.path(), "--no-build");
    becomes(|| dev.timeout_ms(), 30_000);
    describes_itself(&hello, 60);
    becomes(|| dev.timeout_ms(), 60_000);
}

#[test]
fn function_whose_source_changes_is_built_and_served_as_it_is_then() {
    let folder = tempfile::tempdir().unwrap();
    workspace(folder.path());
    let source = folder.path().join("functions/hello/src/main.rs");
    let write = |timeout_s| fs::write(&source, program(timeout_s)).unwrap();
    write(30);
    let dev = Dev::start(folder.path(), "");
    becomes(|| dev.timeout_ms(), 30_000);
    fs::write(&source, "fn main() { no more }").unwrap();
    write(60);
    becomes(|| dev.timeout_ms(), 60_000);
    assert!(folder.path().join(".dacapo/greeter.sqlite").is_file(), "cargo clean takes no history");
}

#[test]
fn output_that_nobody_reads_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hello = workspace(folder.path());
    let said_all = folder.path().join("said-all");
    // Far more than a pipe holds.
    let speak = format!("yes 'a line that is said again and again' | head -n 20000\ntouch {}", said_all.display());
    put(&hello, &format!("#!/bin/sh\n[ -n \"$DACAPO_DESCRIBE\" ] && echo '{}' && exit\n{speak}\n", entry(30)));
    let mut dev = Dev::spoken(folder.path(), "--no-build");
    becomes(|| dev.timeout_ms(), 30_000);
    let started = call("run hello --local").env("DACAPO_LOCAL", &dev.url).said();
    assert_eq!(started.code, 0, "{started}");
    becomes(|| said_all.exists().then_some(1), 1);
    assert_eq!(dev.timeout_ms(), Some(30_000), "it still answers");
    dev.runs.signal("TERM");
    dev.runs.ends_within(Duration::from_secs(30));
}

#[test]
fn request_to_stop_is_answered_with_what_happens_now() {
    let folder = tempfile::tempdir().unwrap();
    let hello = workspace(folder.path());
    describes_itself(&hello, 30);
    let mut dev = Dev::spoken(folder.path(), "--no-build");
    becomes(|| dev.timeout_ms(), 30_000);
    dev.runs.signal("INT");
    dev.runs.ends_within(Duration::from_secs(30));
    let said = dev.runs.errors();
    assert!(said.contains("stopping: what runs may end within 10 s (Ctrl-C again ends it now)"), "{said}");
}

#[test]
fn variable_without_a_value_is_said_before_a_function_starts_and_dot_env_gives_it_one() {
    let folder = tempfile::tempdir().unwrap();
    let told = tells_variables(folder.path());
    let target = folder.path().join("target").display().to_string();
    let said = call("dev --port 0 --no-build").within(folder.path()).env("CARGO_TARGET_DIR", &target).said();
    assert_eq!(said.code, 2, "{said}");
    let wanted = "hello: the variable PASSWORD isn't set (set it in the environment, or write PASSWORD=… into .env)";
    assert!(said.err.contains(wanted), "{said}");

    fs::write(folder.path().join(".env"), "\u{feff}PASSWORD='geh eim'\n# what is logged\nRUST_LOG=debug\n").unwrap();
    let dev = Dev::start(folder.path(), "--no-build");
    becomes(|| dev.timeout_ms(), 30_000);
    assert_eq!(call("run hello --local").env("DACAPO_LOCAL", &dev.url).said().code, 0);
    becomes(|| is_told(&told, "mail@shop.example geh eim debug"), 1);
}

#[test]
fn variable_of_the_environment_comes_before_dot_env_and_that_before_the_definition() {
    let folder = tempfile::tempdir().unwrap();
    let told = tells_variables(folder.path());
    fs::write(folder.path().join(".env"), "PASSWORD=of-the-file\nSENDER=of-the-file\n").unwrap();
    let (url, dev) = Dev::called(folder.path(), "--no-build");
    let dev = Dev { url, runs: dev.env("PASSWORD", "of-the-environment").runs() };
    becomes(|| dev.timeout_ms(), 30_000);
    assert_eq!(call("run hello --local").env("DACAPO_LOCAL", &dev.url).said().code, 0);
    becomes(|| is_told(&told, "of-the-file of-the-environment warn"), 1);
}

#[test]
fn dot_env_entry_that_is_none_is_said_by_its_number_without_its_text() {
    let folder = tempfile::tempdir().unwrap();
    tells_variables(folder.path());
    fs::write(folder.path().join(".env"), "# a password\nPASSWORD=geh eim\n").unwrap();
    let target = folder.path().join("target").display().to_string();
    let said = call("dev --port 0 --no-build").within(folder.path()).env("CARGO_TARGET_DIR", &target).said();
    assert!(said.err.contains(".env: entry 1 is no NAME=value (quote it: NAME='…')"), "{said}");
    assert!(said.code == 1 && !said.to_string().contains("geh"), "{said}");
}

#[test]
fn function_is_served_with_what_dot_env_says_since_it_changed() {
    let folder = tempfile::tempdir().unwrap();
    let told = tells_variables(folder.path());
    let write = |text: &str| fs::write(folder.path().join(".env"), text).unwrap();
    write("PASSWORD=old\n");
    let dev = Dev::start(folder.path(), "--no-build");
    becomes(|| dev.timeout_ms(), 30_000);
    let runs = |expected: &str| {
        call("run hello --local").env("DACAPO_LOCAL", &dev.url).said();
        is_told(&told, expected)
    };
    becomes(|| runs("mail@shop.example old warn"), 1);
    write("PASSWORD='new'\n");
    becomes(|| runs("mail@shop.example new warn"), 1);
}

/// A workspace whose function asks for variables, and writes what it is given into a file; returns that one's place.
fn tells_variables(folder: &Path) -> PathBuf {
    let (hello, told) = (workspace(folder), folder.join("told"));
    let requires = Requirements {
        environment: [("SENDER".to_owned(), "mail@shop.example".to_owned())].into(),
        secrets: [("PASSWORD".to_owned(), "shop/smtp".into())].into(),
        log_level: Some("warn".to_owned()),
        ..Requirements::default()
    };
    let entry = serde_json::to_string(&function(30).requiring(requires)).unwrap();
    let tell = format!("echo \"$SENDER $PASSWORD $RUST_LOG\" >{}", told.display());
    put(&hello, &format!("#!/bin/sh\n[ -n \"$DACAPO_DESCRIBE\" ] && echo '{entry}' && exit\n{tell}\n"));
    told
}

fn is_told(told: &Path, expected: &str) -> Option<u64> {
    (fs::read_to_string(told).ok()?.trim_end() == expected).then_some(1)
}

/// A `dacapo dev` in a workspace, on a port of its own.
struct Dev {
    url: String,
    runs: Running,
}

impl Dev {
    fn start(workspace: &Path, options: &str) -> Self {
        let (url, dev) = Self::called(workspace, options);
        Self { url, runs: dev.runs() }
    }

    /// One whose words are not read yet.
    fn spoken(workspace: &Path, options: &str) -> Self {
        let (url, dev) = Self::called(workspace, options);
        Self { url, runs: dev.speaks() }
    }

    fn called(workspace: &Path, options: &str) -> (String, Call) {
        let (port, target) = (free_port(), workspace.join("target").display().to_string());
        let dev = call(&format!("dev --port {port} {options}")).within(workspace).env("CARGO_TARGET_DIR", &target);
        (format!("http://127.0.0.1:{port}"), dev)
    }

    /// The timeout of the task `hello`, as the engine knows it.
    fn timeout_ms(&self) -> Option<u64> {
        let said = call("manifest --local --json").env("DACAPO_LOCAL", &self.url).said();
        if said.code != 0 {
            return None;
        }
        said.json()["functions"].as_array().unwrap().iter().find_map(|function| {
            (function["name"] == "hello").then(|| function["holds"]["task"]["policy"]["timeoutMs"].as_u64().unwrap())
        })
    }
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
pub fn workspace(folder: &Path) -> PathBuf {
    let package = folder.join("functions/hello");
    fs::create_dir_all(package.join("src")).unwrap();
    let workspace =
        "[workspace]\nresolver = \"3\"\nmembers = [\"functions/*\"]\n[workspace.metadata.dacapo]\napp = \"greeter\"\n";
    fs::write(folder.join("Cargo.toml"), workspace).unwrap();
    fs::write(package.join("Cargo.toml"), "[package]\nname = \"hello\"\nedition = \"2024\"\n[features]\nlocal = []\n")
        .unwrap();
    fs::write(package.join("src/main.rs"), "fn main() {}\n").unwrap();
    let debug = folder.join("target/debug");
    fs::create_dir_all(&debug).unwrap();
    debug.join("hello")
}

/// Puts a binary there that says this of itself.
pub fn describes_itself(binary: &Path, timeout_s: u64) {
    put(binary, &format!("#!/bin/sh\necho '{}'\n", entry(timeout_s)));
}

/// Puts a script there, all at once.
fn put(binary: &Path, script: &str) {
    let fresh = binary.with_extension("new");
    fs::write(&fresh, script).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(fresh, binary).unwrap();
}

/// The source of a function that says this of itself, after something else.
fn program(timeout_s: u64) -> String {
    format!(
        "fn main() {{ println!(\"hello\"); println!(r#\"{}\"#); }}",
        entry(timeout_s).replace('{', "{{").replace('}', "}}")
    )
}

fn entry(timeout_s: u64) -> String {
    serde_json::to_string(&function(timeout_s)).unwrap()
}

fn function(timeout_s: u64) -> FunctionEntry {
    let policy = Policy { timeout: seconds(timeout_s), ..Policy::default() };
    let task = TaskEntry { name: "hello".to_owned(), policy, private: false, may_continue: true, schedules: vec![] };
    FunctionEntry::task("hello", 256, task)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
