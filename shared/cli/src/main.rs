//! `dacapo`: the command line.

mod arguments;
mod body;
mod commands;
mod connect;
mod dev;
mod exit;
mod failure;
mod output;
mod suggest;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match arguments::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let output = output::Output::new(arguments.global.json);
    match commands::run(arguments, &output) {
        Ok(code) => code,
        Err(failure) => output.failure(&failure),
    }
}
