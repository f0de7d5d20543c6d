//! The description that a function gives of itself.

use std::{env, io::Write, process::ExitCode};

use dacapo_domain::FunctionEntry;

/// Prints the manifest's entry as JSON, or all that is wrong with it.
pub(crate) fn describe(entry: Result<FunctionEntry, Vec<String>>) -> ExitCode {
    let json = match entry {
        Ok(entry) => serde_json::to_string(&entry),
        Err(problems) => {
            for problem in problems {
                eprintln!("{}: {problem}", crate_name());
            }
            return ExitCode::FAILURE;
        }
    };
    let printed = json.map_err(Into::into).and_then(|json| writeln!(std::io::stdout(), "{json}"));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to describe the function: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The crate of this program: its binary bears the same name.
pub(crate) fn crate_name() -> String {
    let path = env::current_exe().ok();
    let stem = path.as_deref().and_then(|path| path.file_stem());
    stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
