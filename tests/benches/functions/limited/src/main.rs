//! For `make bench`.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(limited::function())
}
