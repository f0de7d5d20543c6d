//! The arguments, as they may be typed.

use std::process::ExitCode;

use clap::Parser;

use crate::{
    commands::Command,
    context::Global,
    failure::{CliError, exit},
    output::Output,
};

/// Background tasks and event handlers: develop, run, look, repair.
///
/// Exit codes: 0 done, 1 the operation failed (with --wait: the run did), 2 usage, 3 not found, 4 no access.
#[derive(Debug, Parser)]
#[command(name = "dacapo", version, propagate_version = false, disable_help_subcommand = true, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Reads the arguments. Help and version end the program well, anything that can't be read ends it as usage.
///
/// # Errors
/// The exit code, after the message was printed.
pub fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        let asked_for_json = std::env::args_os().any(|argument| argument == "--json");
        if error.use_stderr() && asked_for_json {
            return Output::new(true).failure(&CliError::usage(in_one_line(&error.to_string())));
        }
        let code = if error.use_stderr() { exit::USAGE } else { exit::DONE };
        // With standard error closed there is nowhere left to say it.
        let _ = error.print();
        ExitCode::from(code)
    })
}

/// Clap's words without its advice to read on.
fn in_one_line(text: &str) -> String {
    let message = text.split("\n\nUsage:").next().unwrap_or_default().split("\n\nFor more").next().unwrap_or_default();
    let words: Vec<&str> = message.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}
