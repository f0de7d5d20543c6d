//! The task `echo` as a function serves it; with `DACAPO_BENCH_MEMORY` set, over ports that cost nothing.

#[path = "memory.rs"]
mod memory;

use std::{env, process::ExitCode};

use dacapo::Definition;
use dacapo_core::runner::Runner;

fn main() -> ExitCode {
    if env::var_os("DACAPO_BENCH_MEMORY").is_none() {
        return dacapo_serve::serve(echo::function());
    }
    match in_memory() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// As `serve` does it, but for the ports.
#[tokio::main(worker_threads = 2)]
async fn in_memory() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let runner = Runner::new(Definition::of(echo::function()).handlers, memory::ports(), echo::ECHO.name());
    dacapo_lambda::serve_runner(runner).await
}
