//! The program that the `infra` of an app runs: `dacapo-infra build`, `deploy`, `destroy`, and the steps that these are made of.

fn main() -> std::process::ExitCode {
    dacapo_infra::main()
}
