//! The arguments, as they may be typed.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, parser::ValueSource};

use crate::{
    commands::Command,
    context::{Global, local_variable},
    failure::{CliError, exit},
    output::{Output, plain, quoted},
};

/// Background tasks and event handlers: develop, run, look, repair.
///
/// Exit codes: 0 done, 1 the operation failed (with --wait: the run did; for stats and doctor: something needs a look),
/// 2 usage, 3 not found, 4 no access.
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
    read().map_err(|error| {
        let asked_for_json = std::env::args_os().any(|argument| argument == "--json");
        if error.use_stderr() && asked_for_json {
            return Output::new(true).failure(&CliError::usage(in_one_line(&error.to_string())));
        }
        let code = if error.use_stderr() { exit::USAGE } else { exit::DONE };
        // With standard error closed there is nowhere left to say it.
        let _ = print(&error);
        ExitCode::from(code)
    })
}

/// Prints it in clap's colours, unless it repeats an argument that would command the terminal.
fn print(error: &clap::Error) -> io::Result<()> {
    let text = error.to_string();
    let plain = plain(&text);
    if plain == text { error.print() } else { write!(io::stderr(), "{plain}") }
}

/// The options that name a place on AWS.
const ON_AWS: [&str; 5] = ["app", "stage", "profile", "region", "endpoint_url"];

/// Reads the arguments. DACAPO_LOCAL means the dev engine, unless one of the options that name a place on AWS is typed.
fn read() -> Result<Arguments, clap::Error> {
    let matches = Arguments::command().try_get_matches()?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    let on_aws = ON_AWS.iter().find(|option| is_typed(&matches, option));
    if let Some(option) = on_aws.filter(|_| is_typed(&matches, "local")) {
        let option = option.replace('_', "-");
        let why =
            format!("--local is the engine on this machine, and --{option} a place on AWS (leave one of them out)");
        return Err(Arguments::command().error(clap::error::ErrorKind::ArgumentConflict, why));
    }
    arguments.global.typed_place = typed_place(&matches);
    arguments.global.local |= local_variable().is_some() && on_aws.is_none();
    Ok(arguments)
}

/// The options that name a place as they were typed, to follow another command.
fn typed_place(matches: &ArgMatches) -> String {
    let local = is_typed(matches, "local").then(|| " --local".to_owned());
    let on_aws = ON_AWS.iter().filter(|option| is_typed(matches, option)).filter_map(|option| {
        let value: &String = matches.get_one(option)?;
        Some(format!(" --{} {}", option.replace('_', "-"), quoted(value)))
    });
    local.into_iter().chain(on_aws).collect()
}

fn is_typed(matches: &ArgMatches, option: &str) -> bool {
    matches.value_source(option) == Some(ValueSource::CommandLine)
}

/// Clap's words without its advice to read on.
fn in_one_line(text: &str) -> String {
    let message = text.split("\n\nUsage:").next().unwrap_or_default().split("\n\nFor more").next().unwrap_or_default();
    let words: Vec<&str> = message.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}
