//! Sends the mail that welcomes a user.

fn main() -> std::process::ExitCode {
    dacapo_serve::serve(app::hooks().around(send_welcome::function()))
}
