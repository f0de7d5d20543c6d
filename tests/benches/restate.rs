//! The Restate server from npm, and a service on it that makes ten steps.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::json;

use crate::{AnyError, machine};

/// The version that is compared with.
pub const VERSION: &str = "1.7.12";

/// The longest time from the server's start to its answer.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// A server with its service, each a process, which end with the value.
pub struct Restate {
    client: Client<HttpConnector, Full<Bytes>>,
    ingress: String,
    _processes: [Ended; 2],
    _directory: tempfile::TempDir,
}

/// A process that is ended with the value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Restate {
    /// Installs the server where it isn't, builds the service, and starts both.
    pub async fn start() -> Result<Self, AnyError> {
        let folder = machine::target().join("restate");
        fs::create_dir_all(&folder)?;
        let server = installed(&folder)?;
        let service = built(&folder)?;
        let [ingress, admin, node, at] = free_addresses()?;
        let directory = machine::directory()?;
        let log = |name: &str| File::create(folder.join(format!("{name}.log")));
        let service = Command::new(service).arg(&at).stdout(log("service")?).stderr(log("service")?).spawn()?;
        let server = Command::new(server)
            .arg("--no-logo")
            .env("RESTATE_BASE_DIR", directory.path())
            .env("RESTATE_NODE_NAME", "bench")
            .env("RESTATE_LISTEN_MODE", "tcp")
            .env("RESTATE_BIND_ADDRESS", &node)
            .env("RESTATE_ADVERTISED_ADDRESS", format!("http://{node}"))
            .env("RESTATE_INGRESS__BIND_ADDRESS", &ingress)
            .env("RESTATE_ADMIN__BIND_ADDRESS", &admin)
            .env("RESTATE_DISABLE_TELEMETRY", "true")
            .stdout(log("server")?)
            .stderr(log("server")?)
            .spawn()?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let processes = [Ended(server), Ended(service)];
        let restate = Self { client, ingress, _processes: processes, _directory: directory };
        let deployment = json!({ "uri": format!("http://{at}") }).to_string();
        restate.until_answered(&format!("http://{admin}/deployments"), &deployment).await?;
        restate.until_answered(&restate.service(), "\"\"").await?;
        Ok(restate)
    }

    /// Runs ten steps, and waits for the result.
    pub async fn run(&self, text: &str) -> Result<(), AnyError> {
        self.post(&self.service(), &json!(text).to_string()).await
    }

    fn service(&self) -> String {
        format!("http://{}/Steps/ten", self.ingress)
    }

    async fn until_answered(&self, uri: &str, body: &str) -> Result<(), AnyError> {
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = self.post(uri, body).await {
            if Instant::now() > deadline {
                let logs = machine::target().join("restate");
                return Err(format!("{uri} after {PATIENCE:?}: {error} ({}/*.log)", logs.display()).into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn post(&self, uri: &str, body: &str) -> Result<(), AnyError> {
        let request = Request::post(uri).header("Content-Type", "application/json");
        let reply = self.client.request(request.body(Full::from(body.to_owned()))?).await?;
        let status = reply.status();
        let said = reply.into_body().collect().await?.to_bytes();
        if status.is_success() { Ok(()) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&said)).into()) }
    }
}

/// The server's binary, from npm.
fn installed(folder: &Path) -> Result<PathBuf, AnyError> {
    let package = format!("@restatedev/restate-server@{VERSION}");
    let arguments = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
    run(Command::new("npm").args(arguments).arg(folder).arg(package), &folder.join("npm.log"))?;
    let packages = fs::read_dir(folder.join("node_modules/@restatedev"))?.flatten();
    let mut binaries = packages.map(|package| package.path().join("bin/restate-server"));
    Ok(binaries.find(|binary| binary.exists()).ok_or("npm has no Restate server for this machine")?)
}

/// The service's binary.
fn built(folder: &Path) -> Result<PathBuf, AnyError> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/restate/Cargo.toml");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest).env("CARGO_TARGET_DIR", folder);
    run(&mut build, &folder.join("cargo.log"))?;
    Ok(folder.join("release/ten-steps"))
}

fn run(command: &mut Command, log: &Path) -> Result<(), AnyError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = File::create(log)?;
    let command = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} ended with {status} ({})", log.display()).into()) }
}

/// Addresses on this machine that are free.
fn free_addresses() -> Result<[String; 4], AnyError> {
    let listeners: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let addresses: Vec<String> =
        listeners.iter().map(|listener| Ok(listener.local_addr()?.to_string())).collect::<std::io::Result<_>>()?;
    addresses.try_into().map_err(|_| "four ports".into())
}
