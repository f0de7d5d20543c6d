//! A Lambda Runtime API that hands out payloads one by one, and sees when they are answered.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    time::timeout,
};

use crate::AnyError;

/// Longer than any answer takes that is worth measuring.
const PATIENCE: Duration = Duration::from_secs(30);

/// A function's process and its Runtime API.
pub struct Function {
    child: Child,
    payloads: mpsc::Sender<String>,
    signals: mpsc::Receiver<Signal>,
}

/// The doings of a process, with their times.
enum Signal {
    Polled(Instant),
    Answered(Duration, String),
    Failed(String),
}

struct Api {
    payloads: Mutex<mpsc::Receiver<String>>,
    signals: mpsc::Sender<Signal>,
    handed_out: Mutex<Instant>,
}

impl Function {
    /// Starts a process and waits until it asks for its first payload; says how long that took.
    pub async fn start(program: &Path, environment: &[(&str, &str)]) -> Result<(Self, Duration), AnyError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (payloads, to_hand_out) = mpsc::channel(1);
        let (signals, seen) = mpsc::channel(16);
        let api = Api { payloads: to_hand_out.into(), signals, handed_out: Instant::now().into() };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .fallback(other)
            .with_state(Arc::new(api));
        tokio::spawn(async move { axum::serve(listener, routes).await });

        let mut command = Command::new(program);
        command.env_remove("AWS_PROFILE").env_remove("DACAPO_LOCAL").env_remove("DACAPO_DESCRIBE");
        command.envs(LAMBDA).envs(environment.iter().copied()).env("AWS_LAMBDA_RUNTIME_API", address);
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).spawn()?;
        let mut function = Self { child, payloads, signals: seen };
        match function.signal().await? {
            Signal::Polled(at) => Ok((function, at - started)),
            Signal::Answered(_, text) | Signal::Failed(text) => {
                Err(format!("{} began with {text}", program.display()).into())
            }
        }
    }

    /// Hands a payload out; gives the time until its answer came, and the answer.
    pub async fn invoke(&mut self, payload: String) -> Result<(Duration, String), AnyError> {
        self.payloads.send(payload).await?;
        loop {
            match self.signal().await? {
                Signal::Polled(_) => {}
                Signal::Answered(took, answer) => return Ok((took, answer)),
                Signal::Failed(text) => return Err(text.into()),
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    async fn signal(&mut self) -> Result<Signal, AnyError> {
        let signal = timeout(PATIENCE, self.signals.recv()).await.map_err(|_| "the function's process is silent")?;
        signal.ok_or_else(|| "the Runtime API has ended".into())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The variables that Lambda sets for every function.
const LAMBDA: [(&str, &str); 8] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "sample-bench-echo"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
];

async fn next(State(api): State<Arc<Api>>) -> Response {
    let _ = api.signals.send(Signal::Polled(Instant::now())).await;
    let Some(payload) = api.payloads.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:sample-bench-echo"),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"),
        ("content-type", "application/json"),
    ];
    *api.handed_out.lock().await = Instant::now();
    (headers.map(|(name, value)| (HeaderName::from_static(name), value)), payload).into_response()
}

async fn response(State(api): State<Arc<Api>>, answer: String) -> StatusCode {
    let took = api.handed_out.lock().await.elapsed();
    let _ = api.signals.send(Signal::Answered(took, answer)).await;
    StatusCode::ACCEPTED
}

async fn other(State(api): State<Arc<Api>>, body: String) -> StatusCode {
    let _ = api.signals.send(Signal::Failed(body)).await;
    StatusCode::ACCEPTED
}
