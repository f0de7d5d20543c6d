//! Secrets of Secrets Manager and parameters of SSM, read once: three operations, which don't deserve two more SDK crates in
//! every function.

use std::{collections::BTreeMap, time::SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::{
    client::{http::HttpConnector, orchestrator::HttpRequest},
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::SecretSource;
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    connect::{ATTEMPT_TIMEOUT, Access, sdk_config},
    stack::{dns_suffix, endpoint_of},
};

/// Parameters that one call gives, at most.
const PARAMETERS: usize = 10;
/// The time within which a process must have its secrets: Lambda gives its start ten seconds.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(8);
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// A service that keeps secrets.
#[derive(Clone, Copy, Debug)]
enum Keeper {
    SecretsManager,
    Ssm,
}

impl Keeper {
    /// The id by which variables and profiles name it, its name in endpoints and signatures, and the prefix of its
    /// operations.
    const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::SecretsManager => ("Secrets Manager", "secretsmanager", "secretsmanager"),
            Self::Ssm => ("SSM", "ssm", "AmazonSSM"),
        }
    }
}

/// Reads secrets, all at once, by the names under which handlers know them.
///
/// # Errors
/// `NotDeployed` for one that isn't there, `Denied` where the role may not read it or there are no credentials,
/// `Unreachable` or `Transient` once eight seconds have passed.
pub async fn read_secrets(
    sources: &BTreeMap<String, SecretSource>,
    access: &Access,
) -> PortResult<BTreeMap<String, String>> {
    let client = Client::of(&sdk_config(access).await).await?;
    let (mut secrets, mut parameters) = (vec![], vec![]);
    for (name, source) in sources {
        match source {
            SecretSource::SecretsManager(secret) => secrets.push((name, secret)),
            SecretSource::Ssm(parameter) => parameters.push((name, parameter)),
        }
    }
    let secrets = secrets.into_iter().map(|(name, secret)| client.secret(name, secret));
    let parameters = parameters.chunks(PARAMETERS).map(|some| client.parameters(some));
    let (secrets, parameters) = futures::try_join!(try_join_all(secrets), try_join_all(parameters))?;
    Ok(secrets.into_iter().chain(parameters.into_iter().flatten()).collect())
}

/// What calls of both services have in common.
struct Client {
    config: SdkConfig,
    region: String,
    connector: Connector,
    identity: aws_smithy_runtime_api::client::identity::Identity,
}

impl Client {
    async fn of(config: &SdkConfig) -> PortResult<Self> {
        let denied = |text: &str| PortError::new(PortErrorKind::Denied, format!("failed to read secrets: {text}"));
        let region = config.region().ok_or_else(|| denied("no AWS region (set AWS_REGION)"))?.to_string();
        let provider = config.credentials_provider().ok_or_else(|| denied("no AWS credentials"))?;
        let credentials = provider.provide_credentials().await;
        let identity = credentials.map_err(|error| denied("no AWS credentials").caused_by(error))?.into();
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        Ok(Self { config: config.clone(), region, connector, identity })
    }

    async fn secret(&self, name: &str, secret: &str) -> PortResult<(String, String)> {
        let what = format!("secret {secret:?} of Secrets Manager");
        let reply = self.call(Keeper::SecretsManager, "GetSecretValue", &json!({ "SecretId": secret }), &what).await?;
        let text = reply["SecretString"].as_str().ok_or_else(|| {
            PortError::new(PortErrorKind::Refused, format!("failed to read {what}: it is binary (keep it as text)"))
        })?;
        Ok((name.to_owned(), text.to_owned()))
    }

    async fn parameters(&self, some: &[(&String, &String)]) -> PortResult<Vec<(String, String)>> {
        let names: Vec<&str> = some.iter().map(|(_, parameter)| parameter.as_str()).collect();
        let what = format!("parameters {} of SSM", names.join(", "));
        let input = json!({ "Names": names, "WithDecryption": true });
        let reply = self.call(Keeper::Ssm, "GetParameters", &input, &what).await?;
        let found = reply["Parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let value = |(name, parameter): &(&String, &String)| {
            // One that is asked for by its ARN is given with its name.
            let is_it = |it: &&Value| it["Name"] == parameter.as_str() || it["ARN"] == parameter.as_str();
            let text = found.iter().find(is_it).and_then(|it| it["Value"].as_str()).ok_or_else(|| {
                let text =
                    format!("failed to read parameter {parameter:?} of SSM: it isn't there (make it, then start)");
                PortError::new(PortErrorKind::NotDeployed, text)
            })?;
            Ok(((*name).clone(), text.to_owned()))
        };
        some.iter().map(value).collect()
    }

    /// Calls an operation until it answers; what a service refuses for good is not tried again.
    async fn call(&self, keeper: Keeper, operation: &str, input: &Value, what: &str) -> PortResult<Value> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.once(keeper, operation, input, what).await {
                Err(error) if is_passing(error.kind()) && Instant::now() < end => sleep(PAUSE).await,
                done => return done,
            }
        }
    }

    async fn once(&self, keeper: Keeper, operation: &str, input: &Value, what: &str) -> PortResult<Value> {
        let failed = |kind, text: String| PortError::new(kind, format!("failed to read {what}: {text}"));
        let request = self
            .request(keeper, operation, input.to_string())
            .map_err(|error| failed(PortErrorKind::Refused, format!("its request can't be made: {error}")))?;
        let answer = async {
            let reply = self.connector.call(request).await?;
            let status = reply.status();
            let bytes = http_body_util::BodyExt::collect(reply.into_body()).await?.to_bytes();
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((status, bytes))
        };
        let answer = timeout(ATTEMPT_TIMEOUT.min(PATIENCE), answer).await;
        let answer = answer.map_err(|_| failed(PortErrorKind::Transient, "no answer".to_owned()))?;
        let (status, bytes) = answer.map_err(|error| failed(PortErrorKind::Unreachable, error.to_string()))?;
        let reply: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(reply);
        }
        let (kind, text) = refusal(status, &reply);
        Err(failed(kind, text))
    }

    fn request(
        &self,
        keeper: Keeper,
        operation: &str,
        body: String,
    ) -> Result<HttpRequest, Box<dyn std::error::Error + Send + Sync>> {
        let (id, name, prefix) = keeper.names();
        let own = endpoint_of(&self.config, id);
        let endpoint = own.unwrap_or_else(|| format!("https://{name}.{}.{}", self.region, dns_suffix(&self.region)));
        let url = format!("{}/", endpoint.trim_end_matches('/'));
        let target = format!("{prefix}.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)];
        let mut request = http::Request::post(&url);
        for (header, value) in headers {
            request = request.header(header, value);
        }
        let params = SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable = SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = request.body(SdkBody::from(body))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request.try_into()?)
    }
}

/// A refusal as a kind of error, and its text.
fn refusal(status: StatusCode, reply: &Value) -> (PortErrorKind, String) {
    let code = reply["__type"].as_str().unwrap_or("no code");
    let code = code.rsplit('#').next().unwrap_or(code);
    let said = reply["message"].as_str().or_else(|| reply["Message"].as_str()).unwrap_or_default();
    let text = format!("{code}: {said}");
    match code {
        "ResourceNotFoundException" | "ParameterNotFound" => {
            (PortErrorKind::NotDeployed, format!("it isn't there, {text} (make it, then start)"))
        }
        "AccessDeniedException" | "UnrecognizedClientException" | "InvalidSignatureException" => {
            (PortErrorKind::Denied, text)
        }
        "ThrottlingException" | "InternalServiceError" | "InternalServerError" => (PortErrorKind::Transient, text),
        _ if status.is_server_error() => (PortErrorKind::Transient, text),
        _ => (PortErrorKind::Refused, text),
    }
}

/// Is true of an error that may be gone when it is tried again.
const fn is_passing(kind: PortErrorKind) -> bool {
    matches!(kind, PortErrorKind::Transient | PortErrorKind::Unreachable)
}
