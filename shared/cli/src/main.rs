//! `dacapo`: the command line.

mod arguments;
mod commands;
mod context;
mod failure;
mod output;
mod scaffold;
mod times;
mod values;
mod workspace;

use std::process::ExitCode;

use arguments::Arguments;
use clap::CommandFactory;
use context::Context;
use output::Output;

fn main() -> ExitCode {
    let arguments = match arguments::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let output = Output::new(arguments.global.json);
    let lists = arguments.command.lists();
    let context = Context { global: arguments.global, output: &output };
    match commands::run(arguments.command, &context, Arguments::command()) {
        Ok(code) => code,
        Err(failure) => output.failure(&context.with_next(failure, lists)),
    }
}
