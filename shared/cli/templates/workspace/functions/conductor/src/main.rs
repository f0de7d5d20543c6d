//! The built-in function: delivers what is late, and repairs what is stuck.

fn main() -> std::process::ExitCode {
    dacapo_serve::conductor()
}
