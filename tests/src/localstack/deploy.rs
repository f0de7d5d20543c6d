//! The program that users build, deploy and destroy with.

use std::{env, io, process::Command};

use super::{APP, Localstack, REGION, failed, folder, root};

/// The variables by which cargo tells a test of the test's own package, by the beginning of their names.
const ABOUT_THE_TEST: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];

/// Compiles the sample's functions and those of `tests/lambdas`, and packs them.
///
/// # Errors
/// If they don't compile: the compiler has said why.
pub fn build() -> io::Result<()> {
    run("build", &[])
}

/// Makes the stack.
pub(super) fn deploy(localstack: &Localstack) -> io::Result<()> {
    run("deploy", &at(localstack))
}

/// Removes the stack and its history.
pub(super) fn destroy(localstack: &Localstack) -> io::Result<()> {
    run("destroy", &at(localstack))
}

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

fn at(localstack: &Localstack) -> [(&str, &str); 2] {
    [("AWS_ENDPOINT_URL", &localstack.endpoint), ("STAGE", &localstack.stage)]
}

/// A step of a deploy, as `make` takes it.
pub fn infra(step: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--package", "dacapo-infra", "--", step]).current_dir(root());
    forget_the_test(&mut cargo);
    cargo
}

fn run(step: &str, variables: &[(&str, &str)]) -> io::Result<()> {
    let status = infra(step)
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("APP", APP)
        .env("KEEP_HISTORY", "no")
        .env("TOKEN_URL", "on")
        .env("FUNCTIONS", "functions tests/lambdas")
        .env("RESOURCES", "tests/lambdas/resources.yaml")
        .env("PARAMETERS", "tests/lambdas/parameters.json")
        .env("OUT", folder().join("build"))
        // What this machine compiles fastest and can run.
        .env("PROFILE", "dev")
        .env("ARCH", if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" })
        .envs(variables.iter().copied())
        .status()
        .map_err(|error| failed(format!("can't run cargo: {error}")))?;
    if status.success() { Ok(()) } else { Err(failed(format!("infra's {step} ended with {status}"))) }
}
