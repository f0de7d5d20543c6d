//! Panics before it serves anything, as where a setting is missing.

fn main() -> std::process::ExitCode {
    assert!(std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none(), "DATABASE_URL is not set");
    dacapo_serve::serve(broken::function())
}
