//! Handles events, badly on request.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(flaky::function())
}
