//! Serves the handlers of a new user's arrival.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(app::hooks().around(user_joined::function()))
}
