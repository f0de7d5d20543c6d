//! Tells its variables.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(keeper::function())
}
