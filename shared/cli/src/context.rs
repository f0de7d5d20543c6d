//! The context of a command: its options, its output, and the client they lead to.

use std::{fmt, process::ExitCode};

use clap::Args;
use console::style;
use dacapo::Client;
use serde::Serialize;

use crate::{
    failure::{CliError, CliResult, exit},
    output::{Output, plain},
    workspace,
};

/// The address of the dev engine unless DACAPO_LOCAL says otherwise.
const LOCAL: &str = "http://127.0.0.1:8787";

/// Options of every command; they may stand before or after it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub struct Global {
    /// The dev engine on this machine (at DACAPO_LOCAL, else http://127.0.0.1:8787) instead of AWS; with DACAPO_LOCAL it
    /// is the default, unless an option names a place on AWS
    #[arg(long, global = true)]
    pub local: bool,

    /// The app [default: what the workspace's Cargo.toml says under workspace.metadata.dacapo]
    #[arg(long, global = true, env = "DACAPO_APP", value_name = "NAME", hide_env_values = true)]
    pub app: Option<String>,

    /// The stage
    #[arg(
        long,
        global = true,
        env = "DACAPO_STAGE",
        value_name = "NAME",
        default_value = "dev",
        hide_env_values = true
    )]
    pub stage: String,

    /// The profile of the AWS configuration [default: AWS's own rules]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// The AWS region [default: AWS's own rules]
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,

    /// Another endpoint that speaks AWS, for all services, such as LocalStack [default: AWS's own variables and profiles]
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,

    /// One JSON document on standard output, for programs, or one a line with --watch and --follow; a failure is one on
    /// standard error
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,

    /// The options of these that name a place, as they were typed: with another command, a shell leads it there too
    #[arg(skip)]
    pub typed_place: String,
}

#[cfg(feature = "aws")]
impl Global {
    /// The way to AWS that the options name.
    pub fn access(&self) -> dacapo_aws::Access {
        dacapo_aws::Access {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone().filter(|url| !url.is_empty()),
        }
    }
}

/// An app, and where it is.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    /// The address of an engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<String>,
    /// The stage on AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let app = plain(self.app.as_deref().unwrap_or("an app without a name"));
        match (&self.engine, &self.stage) {
            (Some(engine), _) => write!(f, "{app}, on the engine at {engine}"),
            (None, stage) => write!(f, "{app}, stage {}", stage.as_deref().unwrap_or_default()),
        }
    }
}

/// A document, with the place that it is of.
#[derive(Serialize)]
pub struct OfPlace<'a, T> {
    pub place: &'a Place,
    #[serde(flatten)]
    pub document: &'a T,
}

/// The things a command works with.
pub struct Context<'a> {
    /// The options of every command.
    pub global: Global,
    /// The output for its words.
    pub output: &'a Output,
}

impl Context<'_> {
    /// The app's client: on the dev engine with `--local`, else on AWS. Nothing is called yet.
    ///
    /// # Errors
    /// As usage, if the app or the stage isn't named well; as no access, if there is no region.
    pub async fn client(&self) -> CliResult<Client> {
        if self.global.local {
            return Ok(Client::new(dacapo_local::client::connect(&local_url()?)));
        }
        let app = app(&self.global)?;
        dacapo_domain::check_stack(&app, &self.global.stage).map_err(|error| CliError::usage(error.to_string()))?;
        on_aws(&app, &self.global).await
    }

    /// The app that the client speaks to, and where it is. An engine is asked for its app.
    pub async fn answered_by(&self, client: &Client) -> Place {
        if self.global.local {
            let app = client.manifest().await.map(|manifest| manifest.app.clone()).ok();
            return Place { app, engine: local_url().ok(), stage: None };
        }
        Place { app: app(&self.global).ok(), engine: None, stage: Some(self.global.stage.clone()) }
    }

    /// Prints what names of an app lead to, as a list or a start, and which app that was.
    pub async fn give_of_place(
        &self,
        client: &Client,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> ExitCode {
        let place = self.answered_by(client).await;
        self.output.note(&style(format!("of {place}")).for_stderr().dim().to_string());
        self.output.give(&OfPlace { place: &place, document }, text)
    }

    /// The error with the command to go on with: the one that looks for its cause where the app isn't reached on AWS, or
    /// the one that lists what there is.
    pub fn with_next(&self, error: CliError, lists: Option<&str>) -> CliError {
        let next = match error.code {
            _ if error.is_unreached => (!self.global.local).then_some("doctor"),
            exit::NOT_FOUND => lists,
            _ => None,
        };
        let next = next.map(|next| format!("dacapo {next}{}", self.global.typed_place));
        CliError { next: error.next.or(next), ..error }
    }

    /// The place the client is connected to, in words.
    pub fn place(&self) -> String {
        if self.global.local {
            return "dev engine".to_owned();
        }
        format!("{}, stage {}", app(&self.global).unwrap_or_default(), self.global.stage)
    }
}

#[cfg(feature = "aws")]
async fn on_aws(app: &str, global: &Global) -> CliResult<Client> {
    let ports = dacapo_aws::connect(app, &global.stage, &global.access()).await.map_err(dacapo::Error::from)?;
    Ok(Client::new(ports))
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "the signature of the one that connects")]
async fn on_aws(_: &str, _: &Global) -> CliResult<Client> {
    Err(CliError::usage("this dacapo was built without AWS (use --local, or build it with the feature aws)"))
}

/// The app's name: as given, else as the workspace says it.
///
/// # Errors
/// As usage, if neither says it.
pub fn app(global: &Global) -> CliResult<String> {
    match &global.app {
        Some(app) => Ok(app.clone()),
        None => match workspace::here() {
            Ok(root) => workspace::app(&root),
            Err(error) => Err(CliError::usage(format!(
                "which app? {} (or use --app NAME; --local for the dev engine)",
                error.message
            ))),
        },
    }
}

fn local_url() -> CliResult<String> {
    let url = local_variable().unwrap_or_else(|| LOCAL.to_owned());
    match url.starts_with("http://") {
        true => Ok(url),
        false => Err(CliError::usage(format!("DACAPO_LOCAL is {url:?} (expected such as {LOCAL})"))),
    }
}

/// The address of the dev engine that the environment names.
pub fn local_variable() -> Option<String> {
    std::env::var("DACAPO_LOCAL").ok().filter(|url| !url.is_empty())
}
