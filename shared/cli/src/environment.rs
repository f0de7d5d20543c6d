//! The environment, as other tools of AWS take it.

#[cfg(all(unix, feature = "aws"))]
use std::{env, os::unix::process::CommandExt, process::Command};

/// Begins anew without those of AWS's variables that are set to nothing. For other tools of AWS they are not set; its SDK
/// takes some of them for a value, as a region of no name.
#[cfg(all(unix, feature = "aws"))]
pub fn leave_out_empty_variables() {
    let is_empty = |(name, value): &(_, std::ffi::OsString)| is_of_aws(name) && value.is_empty();
    let empty: Vec<_> = env::vars_os().filter(is_empty).map(|(name, _)| name).collect();
    let (false, Ok(program)) = (empty.is_empty(), env::current_exe()) else { return };
    let mut command = Command::new(program);
    command.args(env::args_os().skip(1));
    for name in empty {
        command.env_remove(name);
    }
    // It returns only where it failed: then the SDK says what it makes of them.
    let _ = command.exec();
}

#[cfg(all(unix, feature = "aws"))]
fn is_of_aws(name: &std::ffi::OsString) -> bool {
    name.to_string_lossy().starts_with("AWS_")
}

#[cfg(not(all(unix, feature = "aws")))]
pub fn leave_out_empty_variables() {}
