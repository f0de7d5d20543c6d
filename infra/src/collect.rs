//! Asks every function what it is.

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
};

use dacapo_domain::{FunctionEntry, Manifest, ManifestError};

/// The reasons why no manifest came of the functions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// A binary didn't run.
    #[error("can't run {}: {source} (build it first)", binary.display())]
    Start {
        /// The binary.
        binary: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// One or more functions say that something is wrong with them: one line a problem.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
    /// A binary said something else than what it is.
    #[error("{} doesn't say what it is: {source} (its `main` calls `dacapo_serve::serve`)", binary.display())]
    Answer {
        /// The binary.
        binary: PathBuf,
        /// The error in its answer.
        source: serde_json::Error,
    },
    /// The functions don't make an app.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Makes the manifest of an app: runs every function's binary with `DACAPO_DESCRIBE=1` and puts the answers together.
///
/// # Errors
/// If a binary can't be run, tells of problems, or says no function; all problems of all functions together. If two
/// functions have one name.
pub fn collect(app: &str, binaries: &[PathBuf]) -> Result<Manifest, CollectError> {
    let (mut functions, mut problems) = (Vec::new(), Vec::new());
    for binary in binaries {
        match describe(binary)? {
            Ok(function) => functions.push(function),
            Err(lines) => problems.extend(lines),
        }
    }
    if !problems.is_empty() {
        return Err(CollectError::Problems(problems));
    }
    Ok(Manifest::new(app, functions)?)
}

/// Asks one function for its entry; it answers with that, or with lines that say what is wrong with it.
fn describe(binary: &Path) -> Result<Result<FunctionEntry, Vec<String>>, CollectError> {
    let output = Command::new(binary)
        .env("DACAPO_DESCRIBE", "1")
        .output()
        .map_err(|source| CollectError::Start { binary: binary.to_owned(), source })?;
    let name = binary.file_stem().unwrap_or_default().to_string_lossy();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let mut lines: Vec<String> = said.lines().map(|line| format!("{name}: {line}")).collect();
        if lines.is_empty() {
            lines.push(format!("{name}: it ended with {} and said nothing", output.status));
        }
        return Ok(Err(lines));
    }
    let function =
        answer(&output.stdout).map_err(|source| CollectError::Answer { binary: binary.to_owned(), source })?;
    Ok(Ok(function))
}

/// The function of the last line that is one: what its author's code prints besides is no part of the answer.
fn answer(printed: &[u8]) -> serde_json::Result<FunctionEntry> {
    let lines = printed.split(|byte| *byte == b'\n').rev().filter(|line| !line.trim_ascii().is_empty());
    let mut answers = lines.map(serde_json::from_slice);
    let last = answers.next().unwrap_or_else(|| serde_json::from_slice(b""));
    last.or_else(|error| answers.find_map(Result::ok).ok_or(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_prints_besides_is_no_part_of_its_answer() -> Result<(), serde_json::Error> {
        let entry = FunctionEntry::conductor();
        let text = serde_json::to_string(&entry)?;
        for printed in [
            format!("{text}\n"),
            format!("connecting …\n{{\"level\":\"info\"}}\n{text}\n"),
            format!("\u{fffd}\n\n{text}\r\nbye\n\n"),
        ] {
            assert_eq!(answer(printed.as_bytes())?, entry, "{printed}");
        }
        for printed in ["", "\n", "hello\n", "{}\n"] {
            assert!(answer(printed.as_bytes()).is_err(), "{printed:?}");
        }
        Ok(())
    }
}
