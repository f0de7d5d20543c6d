//! Sends the report of the day, or of the week.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(app::hooks().around(nightly_report::function()))
}
