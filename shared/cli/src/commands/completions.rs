use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

/// Example: dacapo completions bash > ~/.local/share/bash-completion/completions/dacapo
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self, mut program: clap::Command) -> ExitCode {
        clap_complete::generate(self.shell, &mut program, "dacapo", &mut std::io::stdout());
        ExitCode::SUCCESS
    }
}
