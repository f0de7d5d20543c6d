//! Serves the function within the hooks of the app.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(app::hooks().around(my_name::function()))
}
