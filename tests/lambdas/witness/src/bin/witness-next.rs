//! The build of the code that takes the place of the deployed one.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(witness::function("next"))
}
