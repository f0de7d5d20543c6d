//! What may be typed.

use std::process::ExitCode;

use clap::{Args, Parser};

use crate::{commands::Command, exit, failure::Failure, output};

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

/// Options of every command; they may stand before or after it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub struct Global {
    /// The dev engine on this machine (at DACAPO_LOCAL, else http://127.0.0.1:8787) instead of AWS
    #[arg(long, global = true)]
    pub local: bool,

    /// The app [default: what the workspace's Cargo.toml says under workspace.metadata.dacapo]
    #[arg(long, global = true, env = "DACAPO_APP", value_name = "NAME", hide_env_values = true)]
    pub app: Option<String>,

    /// The stage
    #[arg(
        long,
        global = true,
        env = "DACAPO_STAGE",
        value_name = "NAME",
        default_value = "dev",
        hide_env_values = true
    )]
    pub stage: String,

    /// The profile of the AWS configuration [default: AWS's own rules]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// The AWS region [default: AWS's own rules]
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,

    /// Another endpoint that speaks AWS, such as LocalStack
    #[arg(long, global = true, env = "AWS_ENDPOINT_URL", value_name = "URL", hide_env_values = true)]
    pub endpoint_url: Option<String>,

    /// One JSON document on standard output, for programs; a failure is one on standard error
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
}

/// Reads the arguments. Help and version end the program well, anything that can't be read ends it as usage.
///
/// # Errors
/// The exit code, once what is to be said was said.
pub fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        let asked_for_json = std::env::args_os().any(|argument| argument == "--json");
        if error.use_stderr() && asked_for_json {
            return output::Output::new(true).failure(&Failure::usage(in_one_line(&error.to_string())));
        }
        let code = if error.use_stderr() { exit::USAGE } else { exit::DONE };
        // Nobody is left to tell if standard error is closed.
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
