//! The process's own log, apart from what a handler logs to its run.

use std::io::{IsTerminal, stdout};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::ports::variable;

/// Logs to stdout: JSON on Lambda, where `AWS_LAMBDA_LOG_FORMAT` asks for it, plain elsewhere. `AWS_LAMBDA_LOG_LEVEL`
/// or `RUST_LOG` says what (`info,my_crate=debug`); without either, what is `info` or worse.
pub(crate) fn start() {
    let wanted = variable("AWS_LAMBDA_LOG_LEVEL").or_else(|| variable("RUST_LOG"));
    let targets = wanted.and_then(|wanted| wanted.to_lowercase().parse::<Targets>().ok());
    let targets = targets.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let registry = tracing_subscriber::registry().with(targets);
    let lines = tracing_subscriber::fmt::layer().with_target(false);
    // A subscriber that was set before stays.
    let _ = if variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json")) {
        registry.with(lines.json().flatten_event(true)).try_init()
    } else {
        registry.with(lines.without_time().with_ansi(stdout().is_terminal())).try_init()
    };
}
