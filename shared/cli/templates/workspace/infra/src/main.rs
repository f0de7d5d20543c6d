//! The program that `make build`, `make deploy` and `make destroy` run.

fn main() -> std::process::ExitCode {
    dacapo_infra::main()
}
