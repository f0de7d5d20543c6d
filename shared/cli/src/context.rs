//! The context of a command: its options, its output, and the client they lead to.

use clap::Args;
use dacapo::Client;

use crate::{
    failure::{CliError, CliResult},
    output::Output,
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
    let access = dacapo_aws::Access {
        profile: global.profile.clone(),
        region: global.region.clone(),
        endpoint_url: global.endpoint_url.clone().filter(|url| !url.is_empty()),
    };
    let ports = dacapo_aws::connect(app, &global.stage, &access).await.map_err(dacapo::Error::from)?;
    Ok(Client::new(ports))
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "the signature of the one that connects")]
async fn on_aws(_: &str, _: &Global) -> CliResult<Client> {
    Err(CliError::usage("this dacapo was built without AWS (use --local, or build it with the feature aws)"))
}

/// The app's name: as given, else as the workspace says it.
fn app(global: &Global) -> CliResult<String> {
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
