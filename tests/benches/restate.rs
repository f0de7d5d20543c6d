//! The Restate server from npm, and a service on it: `restate/src/main.rs`.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::json;

use crate::{AnyError, http::Http, machine};

/// The version that is compared with.
pub const VERSION: &str = "1.7.12";

/// The longest time from the server's start to its answer.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// A server with its service, each a process, which end with the value.
pub struct Restate {
    http: Http,
    ingress: String,
    /// The server and the service.
    processes: [Ended; 2],
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
        let service = machine::built("restate")?;
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
        let processes = [Ended(server), Ended(service)];
        let restate = Self { http: Http::new(), ingress, processes, _directory: directory };
        let deployment = json!({ "uri": format!("http://{at}") }).to_string();
        restate.until_answered(&format!("http://{admin}/deployments"), &deployment).await?;
        restate.until_answered(&restate.service("ten"), "\"\"").await?;
        Ok(restate)
    }

    /// The server's process, and its service's.
    pub fn processes(&self) -> [u32; 2] {
        self.processes.each_ref().map(|process| process.0.id())
    }

    /// Calls a handler, and waits for its result.
    pub async fn call(&self, handler: &str, text: &str) -> Result<(), AnyError> {
        self.http.post(&self.service(handler), json!(text).to_string()).await.map(drop)
    }

    /// Has a handler called; gives the invocation's id.
    pub async fn send(&self, handler: &str, text: &str) -> Result<String, AnyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Sent {
            invocation_id: String,
        }
        let sent = self.http.post(&format!("{}/send", self.service(handler)), json!(text).to_string()).await?;
        Ok(serde_json::from_slice::<Sent>(&sent)?.invocation_id)
    }

    /// Waits for the result of an invocation.
    pub async fn wait(&self, invocation: &str) -> Result<(), AnyError> {
        self.http.get(&format!("http://{}/restate/invocation/{invocation}/attach", self.ingress)).await.map(drop)
    }

    /// The calls of `echo` that were answered so far.
    pub async fn answered(&self) -> Result<u32, AnyError> {
        Ok(serde_json::from_slice(&self.http.post(&self.service("answered"), String::new()).await?)?)
    }

    fn service(&self, handler: &str) -> String {
        format!("http://{}/Bench/{handler}", self.ingress)
    }

    async fn until_answered(&self, uri: &str, body: &str) -> Result<(), AnyError> {
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = self.http.post(uri, body.to_owned()).await {
            if Instant::now() > deadline {
                let logs = machine::target().join("restate");
                return Err(format!("{uri} after {PATIENCE:?}: {error} ({}/*.log)", logs.display()).into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

/// The server's binary, from npm.
fn installed(folder: &Path) -> Result<PathBuf, AnyError> {
    let package = format!("@restatedev/restate-server@{VERSION}");
    let arguments = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
    machine::run(Command::new("npm").args(arguments).arg(folder).arg(package), &folder.join("npm.log"))?;
    let packages = fs::read_dir(folder.join("node_modules/@restatedev"))?.flatten();
    let mut binaries = packages.map(|package| package.path().join("bin/restate-server"));
    Ok(binaries.find(|binary| binary.exists()).ok_or("npm has no Restate server for this machine")?)
}

/// Addresses on this machine that are free.
fn free_addresses() -> Result<[String; 4], AnyError> {
    let listeners: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let addresses: Vec<String> =
        listeners.iter().map(|listener| Ok(listener.local_addr()?.to_string())).collect::<std::io::Result<_>>()?;
    addresses.try_into().map_err(|_| "four ports".into())
}
