//! The ends of processes, and of what they have started: with their function's, and with the engine's.

use std::{fs, os::unix::process::ExitStatusExt, time::Duration};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Function, LIMIT, Tested, greet};
use crate::runtime_api::{Payload, Slots, router};

/// Waits until a process is gone.
fn ends(pid: &Value) {
    let ends_by = std::time::Instant::now() + LIMIT;
    // One that has ended and was not asked about yet has no memory any more.
    let lives = || fs::read(format!("/proc/{pid}/statm")).is_ok_and(|pages| !pages.starts_with(b"0 "));
    while lives() {
        assert!(std::time::Instant::now() < ends_by, "process {pid} lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_handler_has_started_ends_with_its_process() -> Tested {
    let function = Function::new(LIMIT).await?;
    let child = function.invoke(json!({ "do": "start" })).await?;
    function.pool.stop();
    ends(&child["pid"]);
    ends(&child["outside"]);
    Ok(())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_handler_has_started_ends_where_it_takes_too_long() -> Tested {
    let function = Function::new(Duration::from_millis(300)).await?;
    let file = function.directory.path().join("child");
    function.invoke(json!({ "do": "start and hang", "at": file })).await.unwrap_err();
    ends(&fs::read_to_string(file)?.parse()?);
    Ok(())
}

#[test]
fn idle_process_ends_when_the_engine_is_gone() -> Tested {
    ends_with_its_engine(r#"{"do":"echo"}"#)
}

#[test]
fn busy_process_ends_when_the_engine_is_gone() -> Tested {
    ends_with_its_engine(r#"{"do":"hang"}"#)
}

/// Nothing is said to the process: its engine just isn't there any more.
fn ends_with_its_engine(payload: &'static str) -> Tested {
    let engine = tokio::runtime::Runtime::new()?;
    let slots = Slots::new()?;
    let (address, served) = (engine.block_on(TcpListener::bind("127.0.0.1:0"))?, slots.clone());
    let url = format!("http://{}", address.local_addr()?);
    engine.spawn(async move { axum::serve(address, router(served)).await });
    let directory = tempfile::tempdir()?;
    let program = greet(directory.path(), LIMIT, url)?;

    let here = tokio::runtime::Runtime::new()?;
    here.block_on(async move {
        let (process, slot) = slots.take("greet");
        let mut child = program.command(process, &slots).spawn()?;
        let calling = slot.call(Payload::Event(payload.into()), LIMIT);
        calling.taken.await?;
        engine.shutdown_background();
        assert_eq!(child.wait().await?.signal(), Some(9), "it ends its whole group");
        Ok(())
    })
}
