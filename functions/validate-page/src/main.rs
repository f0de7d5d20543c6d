//! Validates a page of airports.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(validate_page::function())
}
