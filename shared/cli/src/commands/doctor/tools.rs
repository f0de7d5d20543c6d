//! The tools that building, deploying and developing need.

use std::{path::Path, time::Duration};

use tokio::{process::Command, time::timeout};

use super::{facts::Tool, finding::Severity};

/// The longest time that a tool may take to say its version.
const SAYS_WITHIN: Duration = Duration::from_secs(20);
/// Rust's name for the processor of Lambda that is deployed to by default.
const TRIPLE: &str = "aarch64-unknown-linux-gnu";

/// The tools, asked side by side: of an engine on this machine those that build, else those that deploy too.
pub async fn tools(is_local: bool) -> Vec<Tool> {
    use Severity::{Note, Problem, Warning};
    let rust = "to build functions: get Rust from https://rustup.rs";
    let make = "to build, test and deploy: get it from your system's packages";
    let by_itself = "to deploy: install it, or Python 3.13, with which the deploy gets it by itself";
    let python = "to pack functions for Lambda, and for LocalStack's tests: install Python 3.13";
    let mut asked = vec![
        ("cargo", vec!["cargo", "--version"], Problem, rust),
        ("rustc", vec!["rustc", "--version"], Problem, rust),
    ];
    if !is_local {
        asked.extend([
            ("make", vec!["make", "--version"], Warning, make),
            ("cargo-lambda", vec!["cargo", "lambda", "--version"], Note, by_itself),
            ("aws", vec!["aws", "--version"], Note, by_itself),
            ("python3.13", vec!["python3.13", "--version"], Note, python),
        ]);
    }
    let asked = asked.into_iter().map(async |(name, words, without, remedy)| {
        let version = first_line(&words).await;
        Tool { name, version, without, remedy }
    });
    let mut tools = futures::future::join_all(asked).await;
    if !is_local && tools[1].version.is_some() {
        let library = first_line(&["rustc", "--print", "target-libdir", "--target", TRIPLE]).await;
        let version = library.filter(|path| Path::new(path).is_dir()).map(|_| format!("Rust's library for {TRIPLE}"));
        let remedy = "to build for Lambda's arm64: rustup target add aarch64-unknown-linux-gnu";
        tools.push(Tool { name: "Rust's library for arm64", version, without: Note, remedy });
    }
    tools
}

/// The first line that a program says; `None` where there is none, or it fails.
async fn first_line(words: &[&str]) -> Option<String> {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = timeout(SAYS_WITHIN, command.output()).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().map(ToOwned::to_owned))?
}
