//! Serves runs that share its process.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(crowd::function())
}
