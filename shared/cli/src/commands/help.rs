//! The command line, described: for people as `--help` does, for programs as one document. An error code, explained.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Args, Command};
use dacapo::{code, guide::about};
use serde::Serialize;

use crate::{
    context::Context,
    failure::{CliError, CliResult, exit, suggestion},
};

/// With --json it is one document of all commands, options, examples, exit codes and error codes. Of an error code it says
/// what it means, and what to do.
#[derive(Debug, Args)]
pub struct Help {
    /// The command, such as: queues pause; or an error code of a run, such as: TIMEOUT [default: all commands]
    #[arg(value_name = "COMMAND")]
    asked: Vec<String>,
}

/// The whole command line, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    name: String,
    version: &'static str,
    about: String,
    /// Options that every command takes.
    options: Vec<Argument>,
    commands: Vec<OneCommand>,
    exit_codes: Vec<Exit>,
    /// The codes by which a run or a delivery fails; others are its author's own.
    error_codes: Vec<ErrorCode>,
}

/// An error code, with its section of the guide, in Markdown.
#[derive(Serialize)]
struct ErrorCode {
    code: &'static str,
    about: &'static str,
}

/// A command that has no others below it.
#[derive(Serialize)]
struct OneCommand {
    /// The words that call it, such as `queues pause`.
    name: String,
    about: String,
    arguments: Vec<Argument>,
    options: Vec<Argument>,
    examples: Vec<String>,
}

/// An argument or option; what isn't so is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Argument {
    /// `--name` of an option, `NAME` of an argument.
    name: String,
    about: String,
    /// The word for the value; an option without one is on or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_required: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_repeatable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    /// The values that are allowed, where they are few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<String>,
    /// The variable of the environment that stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
}

/// An exit code.
#[derive(Serialize)]
struct Exit {
    code: u8,
    name: &'static str,
    about: &'static str,
}

impl Help {
    pub fn run(self, cx: &Context<'_>, mut program: Command) -> CliResult<ExitCode> {
        program.build();
        let known =
            error_codes().find(|known| matches!(&self.asked[..], [code] if code.eq_ignore_ascii_case(known.code)));
        if let Some(known) = known {
            return Ok(cx.output.give(&known, || known.about.trim_start_matches("# ").to_owned()));
        }
        if self.asked.is_empty() {
            let document = described(&program);
            return Ok(cx.output.give(&document, || program.render_long_help().to_string()));
        }
        let mut command = &program;
        for word in &self.asked {
            command = command.find_subcommand(word).ok_or_else(|| {
                let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
                CliError::not_found(format!("there is no command or error code {word:?}{}", suggestion(word, &known)))
            })?;
        }
        let document = commands(command, &self.asked.join(" "));
        let words = [program.get_name()].into_iter().chain(self.asked.iter().map(String::as_str)).chain(["--help"]);
        // Clap gives its help as an error.
        let help = || {
            program.clone().try_get_matches_from(words).map_or_else(|help| help.render().to_string(), |_| String::new())
        };
        Ok(cx.output.give(&document, help))
    }
}

fn described(program: &Command) -> Described {
    Described {
        name: program.get_name().to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        about: program.get_about().map(ToString::to_string).unwrap_or_default(),
        options: arguments(program, Arg::is_global_set),
        commands: program.get_subcommands().flat_map(|it| commands(it, it.get_name())).collect(),
        exit_codes: exit::ALL.into_iter().map(|(code, name, about)| Exit { code, name, about }).collect(),
        error_codes: error_codes().collect(),
    }
}

fn error_codes() -> impl Iterator<Item = ErrorCode> {
    code::ALL.iter().filter_map(|code| Some(ErrorCode { code, about: about(code)? }))
}

/// The command, or those that it has.
fn commands(command: &Command, name: &str) -> Vec<OneCommand> {
    if command.has_subcommands() {
        let of = |it: &Command| commands(it, &format!("{name} {}", it.get_name()));
        return command.get_subcommands().flat_map(of).collect();
    }
    let about = command.get_long_about().or_else(|| command.get_about());
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    vec![OneCommand {
        name: name.to_owned(),
        about: about.map(ToString::to_string).unwrap_or_default(),
        arguments: arguments(command, Arg::is_positional),
        options: arguments(command, |arg| !arg.is_global_set() && !arg.is_positional()),
        examples: help.lines().filter_map(example).collect(),
    }]
}

/// The example on a line of the help, which is indented.
fn example(line: &str) -> Option<String> {
    line.strip_prefix("  ").filter(|line| line.starts_with("dacapo ")).map(ToOwned::to_owned)
}

fn arguments(command: &Command, is_wanted: impl Fn(&Arg) -> bool) -> Vec<Argument> {
    let is_of_clap = |arg: &Arg| matches!(arg.get_id().as_str(), "help" | "version");
    let shown = command.get_arguments().filter(|arg| is_wanted(arg) && !arg.is_hide_set() && !is_of_clap(arg));
    shown.map(argument).collect()
}

fn argument(arg: &Arg) -> Argument {
    let takes_value = arg.get_action().takes_values();
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let allowed = arg.get_possible_values().into_iter().map(|value| value.get_name().to_owned());
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    Argument {
        name: arg.get_long().map(|long| format!("--{long}")).or_else(|| value.clone()).unwrap_or_default(),
        about: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        value: value.filter(|_| takes_value && !arg.is_positional()),
        is_required: arg.is_required_set(),
        is_repeatable: matches!(arg.get_action(), ArgAction::Append),
        default: Some(defaults.join(",")).filter(|text| takes_value && !text.is_empty()),
        allowed: allowed.filter(|_| takes_value).collect(),
        variable: arg.get_env().map(|name| name.to_string_lossy().into_owned()),
        aliases: aliases.into_iter().map(|alias| format!("--{alias}")).collect(),
    }
}
