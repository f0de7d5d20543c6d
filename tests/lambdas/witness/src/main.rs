//! Says what was called: the build that is deployed.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(witness::function("first"))
}
