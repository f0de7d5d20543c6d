use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Context;
use crate::{arguments::Arguments, failure::Done};

/// Such as: dacapo completions bash > ~/.local/share/bash-completion/completions/dacapo
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self, _: &Context<'_>) -> Done<ExitCode> {
        clap_complete::generate(self.shell, &mut Arguments::command(), "dacapo", &mut std::io::stdout());
        Ok(ExitCode::SUCCESS)
    }
}
