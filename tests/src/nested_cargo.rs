//! Cargo, run by a test that cargo runs.

use std::{env, process::Command};

/// The variables by which cargo tells a test of the test's own package, by the beginning of their names.
const ABOUT_THE_TEST: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];

/// Keeps from a command what the test knows of its own package. Build scripts ask for such variables, so a cargo that
/// found other values in each test would compile them and all that needs them anew, again and again.
pub fn forget_the_test(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os() {
        if ABOUT_THE_TEST.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            command.env_remove(name);
        }
    }
    command
}
