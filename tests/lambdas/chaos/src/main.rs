//! Does what its input says, good or bad.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(chaos::function())
}
