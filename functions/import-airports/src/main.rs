//! Reads the airports of the world, page by page.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(import_airports::function())
}
