//! The options that every command takes.

use clap::Args;

/// Options of every command; they may stand before or after it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where")]
pub struct Global {
    /// The dev engine on this machine (at DACAPO_LOCAL, else http://127.0.0.1:8787) instead of AWS
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

    /// Another endpoint that speaks AWS, such as LocalStack
    #[arg(long, global = true, env = "AWS_ENDPOINT_URL", value_name = "URL", hide_env_values = true)]
    pub endpoint_url: Option<String>,

    /// One JSON document on standard output, for programs; a failure is one on standard error
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
}
