//! Reads the airports of the world, page by page.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(app::hooks().around(import_airports::function()))
}
