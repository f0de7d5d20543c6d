//! The needs that a function has of the account, beside what Dacapo uses itself: rights, variables, secrets, network, layers.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::Sends;

/// The needs that a function has of the account, beside what Dacapo uses itself.
///
/// In each text `${Name}` stands for a parameter or a resource of the app's own `infra/resources.yaml`, and
/// `${Name.Attribute}` for a resource's attribute, as in CloudFormation's `Fn::Sub`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Requirements {
    /// The rights of its role, in the order in which they were said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Right>,
    /// Environment variables by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Secrets by the name under which the handler reads them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretSource>,
    /// The runs that it starts and the events that it publishes; `None` where it doesn't say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sends: Option<Sends>,
    /// Is true where its handlers use a client of their own, beside their context.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub uses_client: bool,
    /// ARNs of layers' versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<String>,
    /// The network that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc: Option<Vpc>,
    /// The file system that is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_system: Option<FileSystem>,
    /// The size of `/tmp` in MB, 512 to 10,240; Lambda's own where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage_mb: Option<u32>,
    /// Is true where X-Ray records its invocations.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tracing: bool,
    /// The least severe lines that its process logs: `trace`, `debug`, `info`, `warn` or `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<String>,
}

/// One right of a function's role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// The action, as `s3:GetObject`.
    pub action: String,
    /// The ARN of what it may be done to.
    pub resource: String,
}

/// The place from which a process reads a secret, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SecretSource {
    /// A secret of Secrets Manager, by its name or ARN.
    SecretsManager(String),
    /// A parameter of SSM's parameter store, by its name.
    Ssm(String),
}

/// A parameter of SSM's parameter store, as the place of a secret.
#[must_use]
pub fn ssm(parameter: impl Into<String>) -> SecretSource {
    SecretSource::Ssm(parameter.into())
}

/// The subnets that a function is in, and its security groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vpc {
    /// Ids of subnets.
    pub subnets: Vec<String>,
    /// Ids of security groups.
    pub security_groups: Vec<String>,
}

/// A file system that is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileSystem {
    /// The ARN of its access point.
    pub access_point: String,
    /// The folder that it is mounted at, beneath `/mnt/`.
    pub path: String,
}

/// Bytes of all variables of a function, names included: Lambda's limit.
const ENVIRONMENT_BYTES: usize = 4_096;
/// Bytes that Dacapo's own variables take of these, at most; the places of secrets come on top.
const OWN_BYTES: usize = 296;
/// Layers of a function: Lambda's limit.
const LAYERS: usize = 5;
/// The severities of lines of a process's log.
const LOG_LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];
/// Variables that Lambda sets itself, or that mean something to its runtime.
const RESERVED: [&str; 9] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

impl Requirements {
    /// Is true where it needs nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The names of all variables that its handlers may read, secrets included.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.environment.keys().chain(self.secrets.keys()).map(String::as_str)
    }

    /// Adds what another handler of the same function needs.
    ///
    /// # Errors
    /// All that the two say differently.
    pub fn merge(&mut self, other: Self) -> Result<(), Vec<String>> {
        let mut problems = vec![];
        for (name, value) in other.environment {
            let former = self.environment.entry(name.clone()).or_insert_with(|| value.clone());
            if *former != value {
                problems.push(format!("environment {name} is {former:?} and {value:?} (say it once)"));
            }
        }
        for (name, source) in other.secrets {
            let former = self.secrets.entry(name.clone()).or_insert_with(|| source.clone());
            if *former != source {
                problems.push(format!("secret {name} is {former} and {source} (say it once)"));
            }
        }
        merge_option("vpc", &mut self.vpc, other.vpc, &mut problems);
        merge_option("file_system", &mut self.file_system, other.file_system, &mut problems);
        merge_option("log_level", &mut self.log_level, other.log_level, &mut problems);
        match (&mut self.sends, other.sends) {
            (Some(sends), Some(mut other)) => {
                sends.tasks.append(&mut other.tasks);
                sends.events.append(&mut other.events);
            }
            (None, None) => {}
            _ => problems.push(
                "one says what it starts or publishes, and another doesn't (say it of each, by `starts`, `publishes` or \
                `sends_nothing`)"
                    .to_owned(),
            ),
        }
        self.uses_client |= other.uses_client;
        self.ephemeral_storage_mb = self.ephemeral_storage_mb.max(other.ephemeral_storage_mb);
        self.tracing |= other.tracing;
        for right in other.allow {
            if !self.allow.contains(&right) {
                self.allow.push(right);
            }
        }
        for layer in other.layers {
            if !self.layers.contains(&layer) {
                self.layers.push(layer);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// All that is wrong with it, each with what was given and what is allowed.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.allow.iter().filter_map(Right::problem).collect();
        problems.extend(self.variables().filter_map(variable_problem));
        for name in self.secrets.keys().filter(|name| self.environment.contains_key(*name)) {
            problems.push(format!("{name} is an environment variable and a secret (give one of them another name)"));
        }
        for (name, source) in &self.secrets {
            let (SecretSource::SecretsManager(text) | SecretSource::Ssm(text)) = source;
            if text.is_empty() {
                problems.push(format!("secret {name} without a name or ARN (give that of the secret)"));
            }
        }
        let own = OWN_BYTES + serde_json::to_string(&self.secrets).map_or(0, |text| text.len());
        let bytes = own + self.environment.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if bytes > ENVIRONMENT_BYTES {
            problems.push(format!(
                "environment of {bytes} bytes, {own} of them Dacapo's own (Lambda allows {ENVIRONMENT_BYTES}; keep what is \
                large in S3 or in SSM)"
            ));
        }
        if self.layers.len() > LAYERS {
            problems.push(format!("{} layers (Lambda allows {LAYERS})", self.layers.len()));
        }
        problems.extend(
            self.ephemeral_storage_mb
                .filter(|mb| !(512..=10_240).contains(mb))
                .map(|mb| format!("ephemeral_storage of {mb} MB (allowed: 512 to 10,240 MB)")),
        );
        if let Some(level) = self.log_level.as_ref().filter(|level| !LOG_LEVELS.contains(&level.as_str())) {
            problems.push(format!("log_level {level:?} (allowed: {})", LOG_LEVELS.join(", ")));
        }
        problems.extend(self.vpc.as_ref().and_then(Vpc::problem));
        problems.extend(self.file_system.as_ref().and_then(|mounted| mounted.problem(self.vpc.is_some())));
        problems
    }
}

fn merge_option<T: PartialEq + fmt::Debug>(
    option: &str,
    former: &mut Option<T>,
    other: Option<T>,
    problems: &mut Vec<String>,
) {
    match (&former, other) {
        (Some(former), Some(other)) if *former != other => {
            problems.push(format!("{option} is {former:?} and {other:?} (say it once)"));
        }
        (None, other) => *former = other,
        _ => {}
    }
}

/// The reason why a variable can't have this name.
fn variable_problem(name: &str) -> Option<String> {
    let mut letters = name.chars();
    let is_name = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && name.len() >= 2
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if !is_name {
        return Some(format!(
            "variable {name:?} (allowed: two or more letters, digits and underscores, the first a letter)"
        ));
    }
    if RESERVED.contains(&name) || name.starts_with("AWS_LAMBDA_") {
        return Some(format!("variable {name} (Lambda sets it itself; take another name)"));
    }
    name.starts_with("DACAPO_").then(|| format!("variable {name} (names with DACAPO_ are Dacapo's own; take another)"))
}

impl Right {
    /// The service of its action, as `s3`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.action.split_once(':').map_or("", |(service, _)| service)
    }

    fn problem(&self) -> Option<String> {
        let Self { action, resource } = self;
        let (service, verb) = action.split_once(':').unwrap_or_default();
        let is_action = !service.is_empty()
            && service.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
            && !verb.is_empty()
            && verb.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '*');
        if !is_action {
            return Some(format!("allow of action {action:?} (allowed: a service and a verb, as \"s3:GetObject\")"));
        }
        if resource.is_empty() {
            return Some(format!("allow of {action} on no resource (give the ARN of what it may be done to)"));
        }
        let is_resource = resource == "*" || resource.starts_with("arn:") || resource.starts_with("${");
        (!is_resource).then(|| {
            format!(
                "allow of {action} on {resource:?} (allowed: an ARN, \"${{Name.Arn}}\" of infra/resources.yaml, \"*\")"
            )
        })
    }
}

impl Vpc {
    fn problem(&self) -> Option<String> {
        (self.subnets.is_empty() || self.security_groups.is_empty()).then(|| {
            format!(
                "vpc of {} subnets and {} security groups (give at least one of each)",
                self.subnets.len(),
                self.security_groups.len()
            )
        })
    }
}

impl FileSystem {
    fn problem(&self, has_vpc: bool) -> Option<String> {
        let Self { path, .. } = self;
        let is_path = path.strip_prefix("/mnt/").is_some_and(|folder| {
            !folder.is_empty()
                && folder.chars().all(|letter| letter.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&letter))
        });
        if !is_path {
            return Some(format!("file_system at {path:?} (allowed: a folder beneath /mnt/, as \"/mnt/data\")"));
        }
        (!has_vpc)
            .then(|| format!("file_system at {path:?} without a vpc (Lambda mounts it from within the file system's)"))
    }
}

impl From<&str> for SecretSource {
    fn from(secret: &str) -> Self {
        Self::SecretsManager(secret.to_owned())
    }
}

impl From<String> for SecretSource {
    fn from(secret: String) -> Self {
        Self::SecretsManager(secret)
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretsManager(secret) => write!(f, "secret {secret:?} of Secrets Manager"),
            Self::Ssm(parameter) => write!(f, "parameter {parameter:?} of SSM"),
        }
    }
}
