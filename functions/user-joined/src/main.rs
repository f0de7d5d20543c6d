//! Serves the handlers of a new user's arrival.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(user_joined::function())
}
