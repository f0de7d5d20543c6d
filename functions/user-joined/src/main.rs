//! What follows when somebody joins.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(user_joined::function())
}
