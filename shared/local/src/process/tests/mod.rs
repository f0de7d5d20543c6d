//! Real processes: this test binary, started as a function's.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Fleet, Pool, Program};
use crate::{
    InvocationFailed,
    engine_log::{EngineLog, EngineLogs},
    runtime_api::{Ended, Payload, Slots, router},
};

mod command;
mod ends;

type Tested = Result<(), Box<dyn std::error::Error>>;

/// The process of a function: not a test, but the program that the tests start.
#[tokio::test]
#[ignore = "started by the other tests as a function's process"]
async fn a_function() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let call = async |method, path: String, body: Bytes| {
        let uri = format!("{api}/2018-06-01/runtime/{path}");
        let request = Request::builder().method(method).uri(uri).body(Full::from(body)).unwrap();
        // The engine is gone: so is its function.
        let response = client.request(request).await.unwrap_or_else(|_| crate::client::end());
        let (parts, body) = response.into_parts();
        (parts, body.collect().await.unwrap().to_bytes())
    };
    loop {
        let (parts, payload) = call(Method::GET, "invocation/next".into(), Bytes::new()).await;
        assert_eq!(parts.status, StatusCode::OK);
        let id = parts.headers["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        let answer = match payload["do"].as_str().unwrap() {
            "echo" => json!({ "pid": std::process::id(), "function": std::env::var("DACAPO_FUNCTION").unwrap() }),
            "meet" => {
                let place = PathBuf::from(payload["at"].as_str().unwrap());
                fs::write(place.join(std::process::id().to_string()), "").unwrap();
                while fs::read_dir(&place).unwrap().count() < 2 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                json!({ "pid": std::process::id() })
            }
            "fail" => {
                let error = Bytes::from_static(br#"{"errorType":"Oops","errorMessage":"no"}"#);
                call(Method::POST, format!("invocation/{id}/error"), error).await;
                continue;
            }
            "crash" => {
                eprintln!("about to crash");
                std::process::exit(7)
            }
            "leave" => json!("leaving"),
            "shout" => {
                eprint!("{}", "a".repeat(200_000));
                json!("has shouted")
            }
            "start" => {
                let child = tokio::process::Command::new("sleep").arg("600").spawn().unwrap();
                let outside = tokio::process::Command::new("setsid").args(["sleep", "600"]).spawn().unwrap();
                let pid = rustix::process::Pid::from_raw(outside.id().unwrap().cast_signed());
                while rustix::process::getpgid(pid).unwrap() == rustix::process::getpgrp() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                json!({ "pid": child.id(), "outside": outside.id() })
            }
            "start and hang" => {
                let child = tokio::process::Command::new("sleep").arg("600").spawn().unwrap();
                fs::write(payload["at"].as_str().unwrap(), child.id().unwrap().to_string()).unwrap();
                std::future::pending().await
            }
            _ => {
                crate::client::gone(&api).await;
                crate::client::end()
            }
        };
        call(Method::POST, format!("invocation/{id}/response"), answer.to_string().into()).await;
        if payload["do"] == "leave" {
            std::process::exit(0);
        }
    }
}

fn event(payload: &Value) -> Payload {
    Payload::Event(payload.to_string().into())
}

fn answer(ended: Ended) -> Bytes {
    let Ended::Answered(answer) = ended else { panic!("{ended:?}") };
    answer
}

/// A pool of this test binary's processes, and what was told of it.
struct Function {
    pool: Pool,
    fleet: Arc<Fleet>,
    program: Program,
    told: Arc<Mutex<Vec<EngineLog>>>,
    directory: tempfile::TempDir,
}

impl Function {
    async fn new(limit: Duration) -> Result<Self, Box<dyn std::error::Error>> {
        Self::with_permits(limit, 9).await
    }

    /// The same where so many processes run at once, of all functions together.
    async fn with_permits(limit: Duration, permits: usize) -> Result<Self, Box<dyn std::error::Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let engine = format!("http://{}", listener.local_addr()?);
        let slots = Slots::new()?;
        tokio::spawn(axum::serve(listener, router(slots.clone())).into_future());
        let directory = tempfile::tempdir()?;
        let program = greet(directory.path(), limit, engine)?;
        let told = Arc::new(Mutex::new(vec![]));
        let hears = told.clone();
        let logs: EngineLogs = Arc::new(move |log| hears.lock().unwrap().push(log));
        let fleet = Arc::new(Fleet::of(permits, slots, logs));
        Ok(Self { pool: Pool::new(program.clone(), 2, fleet.clone()), program, fleet, told, directory })
    }

    async fn invoke(&self, payload: Value) -> Result<Value, InvocationFailed> {
        let answer = answer(self.pool.invoke(event(&payload)).await?);
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    async fn pid(&self) -> u64 {
        self.invoke(json!({ "do": "echo" })).await.unwrap()["pid"].as_u64().unwrap()
    }

    fn told(&self, wanted: impl Fn(&EngineLog) -> bool) -> Vec<EngineLog> {
        self.told.lock().unwrap().iter().filter(|log| wanted(log)).cloned().collect()
    }
}

/// The program of this test binary, written into a directory.
fn greet(directory: &Path, limit: Duration, engine: String) -> std::io::Result<Program> {
    let path = directory.join("greet");
    write_binary(&path, "")?;
    let (function, app, stage) = ("greet".to_owned(), "shop".to_owned(), "local".to_owned());
    let (publishes, variables) = (String::new(), BTreeMap::new());
    Ok(Program { function, path, memory_mb: 128, limit, publishes, variables, app, stage, engine })
}

/// Writes this test binary there, as a function's.
pub fn write_binary(path: &Path, comment: &str) -> std::io::Result<()> {
    let me = std::env::current_exe()?;
    let test = "process::tests::a_function";
    write_program(path, &format!("# {comment}\nexec '{}' --exact {test} --ignored --nocapture", me.display()))
}

fn write_program(path: &Path, script: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, format!("#!/bin/sh\n{script}\n"))?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755))?;
    fs::rename(fresh, path)
}

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn idle_process_takes_the_next_invocation() -> Tested {
    let function = Function::new(LIMIT).await?;
    let first = function.invoke(json!({ "do": "echo" })).await?;
    assert_eq!(first["function"], "greet");
    assert_eq!(first["pid"], function.pid().await);
    assert_eq!(function.told(|log| matches!(log, EngineLog::Started { .. })).len(), 1);
    Ok(())
}

#[tokio::test]
async fn another_process_is_started_when_all_are_busy() -> Tested {
    let function = Function::new(LIMIT).await?;
    let place = function.directory.path().join("meeting");
    fs::create_dir(&place)?;
    let meet = json!({ "do": "meet", "at": place });
    let (one, other) = tokio::try_join!(function.invoke(meet.clone()), function.invoke(meet))?;
    assert_ne!(one["pid"], other["pid"]);
    Ok(())
}

#[tokio::test]
async fn crash_is_told_after_what_the_process_said_and_the_next_process_works() -> Tested {
    let function = Function::new(LIMIT).await?;
    let failed = function.invoke(json!({ "do": "crash" })).await.unwrap_err();
    assert_eq!(failed.cause, "ended with exit status: 7");
    let told: Vec<String> = function.told(|_| true).iter().map(EngineLog::to_string).collect();
    let [.., said, crashed] = &told[..] else { panic!("{told:?}") };
    assert_eq!([said, crashed], ["greet | about to crash", "greet crashed: ended with exit status: 7"]);
    function.pid().await;
    Ok(())
}

#[tokio::test]
async fn function_that_can_t_start_is_told_in_one_line_and_works_once_it_is_mended() -> Tested {
    let function = Function::new(LIMIT).await?;
    write_program(&function.program.path, "echo 'DATABASE_URL is not set' >&2; exit 101")?;
    let failed = function.invoke(json!({ "do": "echo" })).await.unwrap_err();
    assert_eq!(
        failed.cause,
        "can't start: ended with exit status: 101 before it asked for work (mend what it says, and build it)"
    );
    let told: Vec<String> = function.told(|_| true).iter().map(EngineLog::to_string).collect();
    let [.., said, crashed] = &told[..] else { panic!("{told:?}") };
    assert_eq!([said, crashed], ["greet | DATABASE_URL is not set", &format!("greet crashed: {}", failed.cause)]);
    write_binary(&function.program.path, "mended")?;
    function.pid().await;
    Ok(())
}

#[tokio::test]
async fn error_is_an_answer_and_costs_no_process() -> Tested {
    let function = Function::new(LIMIT).await?;
    let failed = function.invoke(json!({ "do": "fail" })).await.unwrap_err();
    assert!(failed.cause.contains("Oops"), "{failed}");
    function.pid().await;
    assert_eq!(function.told(|log| matches!(log, EngineLog::Started { .. })).len(), 1);
    Ok(())
}

#[tokio::test]
async fn invocation_that_takes_too_long_is_stopped() -> Tested {
    let function = Function::new(Duration::from_millis(300)).await?;
    let failed = function.invoke(json!({ "do": "hang" })).await.unwrap_err();
    assert_eq!(failed.cause, "timed out after 0.3 s");
    Ok(())
}

#[tokio::test]
async fn process_that_leaves_after_its_answer_costs_no_invocation() -> Tested {
    let function = Function::new(LIMIT).await?;
    for _ in 0..3 {
        assert_eq!(function.invoke(json!({ "do": "leave" })).await?, "leaving");
    }
    assert_eq!(function.told(|log| matches!(log, EngineLog::Crashed { .. })), []);
    Ok(())
}

#[tokio::test]
async fn changed_binary_gets_a_new_process() -> Tested {
    let function = Function::new(LIMIT).await?;
    let old = function.pid().await;
    write_binary(&function.program.path, "built anew")?;
    assert_ne!(function.pid().await, old);
    assert_eq!(function.told(|log| matches!(log, EngineLog::Changed { .. })).len(), 1);
    Ok(())
}

#[tokio::test]
async fn line_without_an_end_is_told_in_parts() -> Tested {
    let function = Function::new(LIMIT).await?;
    function.invoke(json!({ "do": "shout" })).await?;
    let lines = || -> Vec<usize> {
        let shouted = |log: &EngineLog| matches!(log, EngineLog::Line { line, .. } if line.starts_with('a'));
        function.told(shouted).iter().map(|log| log.to_string().len() - "greet | ".len()).collect()
    };
    tokio::time::timeout(LIMIT, async {
        while lines().len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await?;
    assert_eq!(lines()[..3], [65_536; 3]);
    Ok(())
}

#[tokio::test]
async fn functions_share_the_processes_that_the_file_handles_allow() -> Tested {
    let function = Function::with_permits(LIMIT, 1).await?;
    let other = Program { function: "other".to_owned(), ..function.program.clone() };
    let other = Pool::new(other, 2, function.fleet.clone());
    for _ in 0..2 {
        function.pid().await;
        let answer: Value = serde_json::from_slice(&answer(other.invoke(event(&json!({ "do": "echo" }))).await?))?;
        assert_eq!(answer["function"], "other", "an idle process makes room");
    }
    let echo = || event(&json!({ "do": "echo" }));
    let all = futures::future::join_all(
        (0..4).map(|at| if at % 2 == 0 { &function.pool } else { &other }).map(|pool| pool.invoke(echo())),
    );
    assert!(all.await.iter().all(Result::is_ok), "each waits for the place of another");
    let notes = function.told(|log| matches!(log, EngineLog::Note(_)));
    assert!(notes.len() == 1 && notes[0].to_string().contains("the limit of open files"), "{notes:?}");
    Ok(())
}
