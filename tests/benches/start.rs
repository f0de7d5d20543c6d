//! The cost of Dacapo in a cold start and in a function's memory: both have the same four clients of AWS, and are built as
//! functions are for AWS.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, time::sleep};

use crate::{
    AnyError,
    machine::{self, median, ratio, show},
    runtime_api::Function,
    table::Row,
};

/// Starts of each of the two, one after the other.
const STARTS: u32 = 40;

/// The variables of a deployed function.
const DEPLOYED: [(&str, &str); 5] = [
    ("DACAPO_APP", "sample"),
    ("DACAPO_STAGE", "bench"),
    ("DACAPO_FUNCTION", "echo"),
    ("DACAPO_ACCOUNT", "123456789012"),
    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
];

/// The variables of a function with two secrets.
const SECRETS: (&str, &str) =
    ("DACAPO_SECRETS", r#"{"KEY":{"secretsManager":"shop/key"},"PASSWORD":{"secretsManager":"shop/password"}}"#);
/// The time that Secrets Manager takes for an answer, roughly.
const ANSWERS_AFTER: Duration = Duration::from_millis(10);

pub fn measure() -> Result<Vec<Row>, AnyError> {
    let [bare, ours] = programs()?;
    machine::runtime()?.block_on(async {
        let mut rows = compare([&bare, &ours]).await?;
        rows.extend(secrets(&ours).await?);
        Ok(rows)
    })
}

/// `echo` on bare `lambda_runtime`, and as Dacapo serves it: small, and without the embedded engine.
fn programs() -> Result<[PathBuf; 2], AnyError> {
    let built = |name: &str, arguments: &[&str]| {
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--profile", "function", "--package"])
            .args(arguments)
            .env("CARGO_TARGET_DIR", machine::target());
        machine::run(&mut build, &machine::target().join(format!("bench-{name}.log")))?;
        Ok::<_, AnyError>(machine::target().join("function").join(name))
    };
    let bare = built("bench-bare", &["dacapo-tests", "--bin", "bench-bare"])?;
    Ok([bare, built("echo", &["echo", "--no-default-features", "--features", "aws"])?])
}

/// A start with two secrets beside one without, over HTTP without TLS.
async fn secrets(program: &Path) -> Result<Vec<Row>, AnyError> {
    let mut rows = vec![];
    for pause in [Duration::ZERO, ANSWERS_AFTER] {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let answer = async move || {
            sleep(pause).await;
            r#"{"SecretString":"a word"}"#
        };
        let keeper = tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        let without: Vec<_> = DEPLOYED.into_iter().chain([("AWS_ENDPOINT_URL", &*endpoint)]).collect();
        let with: Vec<_> = without.iter().copied().chain([SECRETS]).collect();
        let mut times = [vec![], vec![]];
        for _ in 0..STARTS {
            for (times, variables) in times.iter_mut().zip([&without, &with]) {
                times.push(Function::start(program, variables).await?.1);
            }
        }
        keeper.abort();
        let [without, with] = times.map(|mut times| median(&mut times));
        let what = format!("start with two secrets, each told after {}, against none", show(pause));
        let seen =
            format!("{} ({} and {})", ratio(with.as_secs_f64(), without.as_secs_f64()), show(with), show(without));
        rows.push(Row::new(what, seen, "≤ 1.20×"));
    }
    Ok(rows)
}

async fn compare(programs: [&Path; 2]) -> Result<Vec<Row>, AnyError> {
    let (mut times, mut peaks) = ([vec![], vec![]], [vec![], vec![]]);
    for start in 0..=STARTS {
        for (this, program) in programs.into_iter().enumerate() {
            let (function, took) = Function::start(program, &DEPLOYED).await?;
            // The first start reads the binary from the disk.
            if start > 0 {
                times[this].push(took);
                peaks[this].push(machine::peak_kib(function.pid())?);
            }
        }
    }
    let [bare, ours] = times.map(|mut times| median(&mut times));
    let [bare_peak, our_peak] = peaks.map(|mut peaks| median(&mut peaks));
    let mib = |kib: u64| format!("{:.1} MiB", kib as f64 / 1024.0);
    Ok(vec![
        Row::note("start to first poll, lambda_runtime", show(bare)),
        Row::note("start to first poll, Dacapo", show(ours)),
        Row::new("start to first poll, ratio", ratio(ours.as_secs_f64(), bare.as_secs_f64()), "≤ 1.10×"),
        Row::note("peak memory by then, lambda_runtime", mib(bare_peak)),
        Row::note("peak memory by then, Dacapo", mib(our_peak)),
        Row::new("peak memory, ratio", ratio(our_peak as f64, bare_peak as f64), "≤ 1.10×"),
    ])
}
