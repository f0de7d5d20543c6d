//! A LocalStack of our own with the app deployed, whose functions call AWS through the counting proxy.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use aws_sdk_sqs::types::QueueAttributeName;
use dacapo::{Client, Id};
use dacapo_tests::{
    lambda::Lambda,
    localstack::{REGION, Server, config, infra},
    proxy::Proxy,
};

use super::counter::Counter;
use crate::{AnyError, machine};

const APP: &str = "sample";
const STAGE: &str = "bench";
/// The functions whose calls are counted.
const OBSERVED: [&str; 3] = ["echo", "heard", "limited"];
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// The deployed app, before anybody watches it.
pub struct Deployed {
    server: Server,
    /// Ends after the server, which writes to it.
    _state: tempfile::TempDir,
}

/// The deployed app. No schedule fires in it, so nothing happens but what is measured.
pub struct Site {
    /// The clients whose calls are counted.
    pub client: Client,
    /// The clients whose calls aren't.
    pub looker: Client,
    pub sfn: aws_sdk_sfn::Client,
    pub counter: Arc<Counter>,
    sqs: aws_sdk_sqs::Client,
    machine: String,
    _deployed: Deployed,
}

impl Site {
    /// Starts LocalStack and deploys to it with the program that users have.
    pub fn deploy() -> Result<Deployed, AnyError> {
        let folder = machine::target().join("bench-deploy");
        std::fs::create_dir_all(&folder)?;
        let state = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = folder.join("localstack.log");
        let server = Server::start_quietly(port, Some(state.path()), &File::create(&log)?)
            .map_err(|error| format!("{error} ({})", log.display()))?;
        for step in [&["build", "deploy"][..], &["deploy"]] {
            run(step, server.endpoint(), &folder)?;
        }
        Ok(Deployed { server, _state: state })
    }
}

impl Deployed {
    /// Puts the proxy between the functions and AWS, and between a client and AWS.
    pub async fn observed(self) -> Result<Site, AnyError> {
        let endpoint = self.server.endpoint().to_owned();
        let counter = Arc::<Counter>::default();
        let proxy = Proxy::start(&endpoint, counter.clone()).await?;
        let lambda = Lambda::new(&config(&endpoint).await);
        for function in OBSERVED {
            let function = format!("{APP}-{STAGE}-{function}");
            lambda.set_variable(&function, "AWS_ENDPOINT_URL", proxy.address()).await?;
        }
        let (direct, counted) = (config(&endpoint).await, config(proxy.address()).await);
        let sfn = aws_sdk_sfn::Client::new(&direct);
        let machines = sfn.list_state_machines().send().await?;
        let mut machines = machines.state_machines.into_iter();
        let machine =
            machines.find(|machine| machine.name == format!("{APP}-{STAGE}-loop")).ok_or("no state machine")?;
        Ok(Site {
            client: Client::new(dacapo_aws::ports(APP, STAGE, &counted)?),
            looker: Client::new(dacapo_aws::ports(APP, STAGE, &direct)?),
            sfn,
            counter,
            sqs: aws_sdk_sqs::Client::new(&direct),
            machine: machine.state_machine_arn,
            _deployed: self,
        })
    }
}

impl Site {
    /// The first execution of a run.
    pub async fn execution(&self, id: Id) -> Result<String, AnyError> {
        Ok(format!("{}:{id}-1", self.machine.replace(":stateMachine:", ":execution:")))
    }

    /// Waits until a function's queue is empty.
    pub async fn is_idle(&self, function: &str) -> Result<(), AnyError> {
        use QueueAttributeName as Name;

        let reply = self.sqs.get_queue_url().queue_name(format!("{APP}-{STAGE}-{function}")).send().await?;
        let url = reply.queue_url().unwrap_or_default();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reply = self.sqs.get_queue_attributes().queue_url(url).attribute_names(Name::All).send().await?;
            let counts = [Name::ApproximateNumberOfMessages, Name::ApproximateNumberOfMessagesNotVisible];
            let attributes = reply.attributes().cloned().unwrap_or_default();
            if counts.iter().all(|count| attributes.get(count).is_some_and(|count| count == "0")) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("{function} has not handled its messages after {PATIENCE:?}").into());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Takes one of the steps of a deploy, with its output in a log.
fn run(step: &[&str], endpoint: &str, folder: &Path) -> Result<(), AnyError> {
    let log: PathBuf = folder.join(format!("{}.log", step.join("-")));
    let output = File::create(&log)?;
    let status = infra(step[0])
        .args(&step[1..])
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", REGION)])
        .envs([("AWS_DEFAULT_REGION", REGION), ("AWS_ENDPOINT_URL", endpoint), ("APP", APP), ("STAGE", STAGE)])
        // Counts don't depend on how it was built: what this machine builds soonest.
        .envs([("FUNCTIONS", "functions tests/benches/functions"), ("PROFILE", "dev")])
        .env("CARGO_TARGET_DIR", machine::target())
        .env("OUT", folder)
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()?;
    if status.success() {
        return Ok(());
    }
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let last = said.lines().last().unwrap_or_default();
    Err(format!("infra's {} failed: {last} ({})", step.join(" "), log.display()).into())
}
