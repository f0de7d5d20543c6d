//! Validates a page of airports.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(app::hooks().around(validate_page::function()))
}
