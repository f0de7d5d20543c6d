//! Secrets of Secrets Manager and parameters of SSM, read once: three operations, which don't deserve two more SDK crates in
//! every function.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::http::StatusCode;
use dacapo_core::port::{Clock, PortError, PortErrorKind, PortResult, SystemClock};
use dacapo_domain::SecretSource;
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    access::Access,
    connect::{FIRST_BACKOFF, LONGEST_BACKOFF, sdk_config},
    error::chain,
    signed::{Called, Request, SignedCalls},
};

/// Parameters that one call gives, at most.
const PARAMETERS: usize = 10;
/// The time within which a process must have its secrets: Lambda gives its start ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);
/// The time of one call, at most.
const CALL: Duration = Duration::from_secs(3);
/// The remedy where a service doesn't answer.
const NO_WAY: &str = " (in a vpc, a function needs a NAT gateway or an endpoint of the service)";

/// A service that keeps secrets.
#[derive(Clone, Copy, Debug)]
enum Keeper {
    SecretsManager,
    Ssm,
}

impl Keeper {
    /// The service, and the prefix of its operations.
    const fn called(self) -> (Called, &'static str) {
        match self {
            Self::SecretsManager => {
                let name = "secretsmanager";
                (Called { id: "Secrets Manager", name, endpoint: name }, name)
            }
            Self::Ssm => (Called { id: "SSM", name: "ssm", endpoint: "ssm" }, "AmazonSSM"),
        }
    }
}

/// Reads secrets, all at once, by the names under which handlers know them.
///
/// # Errors
/// `NotDeployed` for one that isn't there, `Denied` where the role may not read it or there are no credentials,
/// `Unreachable` or `Transient` within eight seconds.
pub async fn read_secrets(
    sources: &BTreeMap<String, SecretSource>,
    access: &Access,
) -> PortResult<BTreeMap<String, String>> {
    let late =
        || PortError::new(PortErrorKind::Unreachable, format!("failed to read secrets within {PATIENCE:?}{NO_WAY}"));
    timeout(PATIENCE, async { read(sources, &sdk_config(access).await).await }).await.unwrap_or_else(|_| Err(late()))
}

async fn read(sources: &BTreeMap<String, SecretSource>, config: &SdkConfig) -> PortResult<BTreeMap<String, String>> {
    let client = Client::of(config).await?;
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

/// Both services.
struct Client(SignedCalls);

impl Client {
    async fn of(config: &SdkConfig) -> PortResult<Self> {
        Ok(Self(SignedCalls::of(config, "read secrets").await?))
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
        let names: BTreeSet<&str> = some.iter().map(|(_, parameter)| parameter.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let what = format!("parameters {} of SSM", names.join(", "));
        let input = json!({ "Names": names, "WithDecryption": true });
        let reply = self.call(Keeper::Ssm, "GetParameters", &input, &what).await?;
        let found = reply["Parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let value = |(name, parameter): &(&String, &String)| {
            // One that is asked for by its ARN is given with its name, and a version or label stands apart.
            let is_it = |it: &&Value| {
                let selector = it["Selector"].as_str().unwrap_or_default();
                let called =
                    |name: &Value| name.as_str().is_some_and(|name| format!("{name}{selector}") == **parameter);
                called(&it["Name"]) || called(&it["ARN"])
            };
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
        let end = Instant::now() + PATIENCE.saturating_sub(CALL);
        let mut pause = FIRST_BACKOFF;
        loop {
            match self.once(keeper, operation, input, what).await {
                Err(error) if is_passing(error.kind()) && Instant::now() + pause < end => {
                    // Processes that start together don't ask again together.
                    sleep(pause.mul_f64(SystemClock.decision_context().unit_interval())).await;
                    pause = (pause * 2).min(LONGEST_BACKOFF);
                }
                done => return done,
            }
        }
    }

    async fn once(&self, keeper: Keeper, operation: &str, input: &Value, what: &str) -> PortResult<Value> {
        let failed = |kind, text: String| PortError::new(kind, format!("failed to read {what}: {text}"));
        let (to, prefix) = keeper.called();
        let target = format!("{prefix}.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &*target)];
        let request = Request { to, method: "POST", path: "", headers: &headers, body: input.to_string() };
        let request = self
            .0
            .request(request)
            .map_err(|error| failed(PortErrorKind::Refused, format!("its request can't be made: {error}")))?;
        let answer = timeout(CALL, self.0.send(request)).await;
        let answer = answer.map_err(|_| failed(PortErrorKind::Unreachable, format!("no answer{NO_WAY}")))?;
        let (status, bytes) =
            answer.map_err(|error| failed(PortErrorKind::Unreachable, format!("{}{NO_WAY}", chain(&*error))))?;
        let reply: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(reply);
        }
        let (kind, text) = refusal(status, &reply);
        Err(failed(kind, text))
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
            let remedy = "may the role read it? with a key of your own it needs `.allow(\"kms:Decrypt\", …)` too";
            (PortErrorKind::Denied, format!("{text} ({remedy})"))
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

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::{TcpListener, TcpStream},
        thread,
    };

    use aws_config::Region;
    use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
    use dacapo_domain::ssm;

    use super::*;

    type Answer = fn(&str, &Value) -> (u16, Value);

    /// A configuration whose endpoint is a server on this machine that answers each operation like this.
    fn asked_at(answer: Answer) -> SdkConfig {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || listener.incoming().for_each(|stream| reply(stream.unwrap(), answer)));
        let credentials = Credentials::new("test", "test", None, None, "test");
        SdkConfig::builder()
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(endpoint)
            .build()
    }

    fn reply(mut stream: TcpStream, answer: Answer) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut operation, mut length, mut signed) = (String::new(), 0, false);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(':') else {
                if line.trim().is_empty() {
                    break;
                }
                continue;
            };
            match &*name.to_lowercase() {
                "x-amz-target" => operation = value.rsplit('.').next().unwrap().to_owned(),
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => signed = value.contains("Credential=test/"),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        assert!(signed, "each call is signed");
        let (status, json) = answer(&operation, &serde_json::from_slice(&body).unwrap());
        let json = json.to_string();
        write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{json}", json.len())
            .unwrap();
    }

    async fn read_one(source: SecretSource, answer: Answer) -> PortResult<String> {
        let sources = [("IT".to_owned(), source)].into();
        Ok(read(&sources, &asked_at(answer)).await?.remove("IT").unwrap())
    }

    #[tokio::test]
    async fn parameters_are_found_by_name_by_arn_and_with_a_label_ten_at_a_time() {
        let answer: Answer = |operation, input| {
            assert_eq!((operation, &input["WithDecryption"]), ("GetParameters", &json!(true)));
            let names = input["Names"].as_array().unwrap();
            assert!(names.len() <= 10);
            let given =
                names.iter().map(|name| name.as_str().unwrap()).map(|name| match name.split_once("/shop/key:") {
                    _ if name.starts_with("arn:") => json!({ "Name": "/by/arn", "ARN": name, "Value": name }),
                    Some((_, label)) => json!({ "Name": "/shop/key", "Selector": format!(":{label}"), "Value": name }),
                    None => json!({ "Name": name, "Value": name }),
                });
            (200, json!({ "Parameters": given.collect::<Vec<_>>() }))
        };
        let mut wanted = vec!["arn:aws:ssm:eu-west-1:1:parameter/by/arn".to_owned(), "/shop/key:live".to_owned()];
        wanted.extend((0..10).map(|n| format!("/shop/{n}")));
        let sources = wanted.iter().map(|name| (format!("of {name}"), ssm(name))).collect();
        let read = read(&sources, &asked_at(answer)).await.unwrap();
        assert_eq!(read, wanted.iter().map(|name| (format!("of {name}"), name.clone())).collect());
    }

    #[tokio::test]
    async fn secret_is_its_text_also_after_a_call_that_was_throttled() {
        static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let answer: Answer = |_, input| match CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => (400, json!({ "__type": "ThrottlingException", "message": "slow down" })),
            _ => (200, json!({ "SecretString": format!("text of {}", input["SecretId"].as_str().unwrap()) })),
        };
        assert_eq!(read_one("shop/smtp".into(), answer).await.unwrap(), "text of shop/smtp");
    }

    #[tokio::test]
    async fn secret_that_can_not_be_read_is_named_with_what_to_do() {
        let cases: [(SecretSource, Answer, PortErrorKind, &str); 4] = [
            (
                ssm("/shop/key"),
                |_, _| (200, json!({ "InvalidParameters": ["/shop/key"] })),
                PortErrorKind::NotDeployed,
                "failed to read parameter \"/shop/key\" of SSM: it isn't there (make it, then start)",
            ),
            (
                "shop/smtp".into(),
                |_, _| (400, json!({ "__type": "ResourceNotFoundException", "message": "no" })),
                PortErrorKind::NotDeployed,
                "failed to read secret \"shop/smtp\" of Secrets Manager: it isn't there, ResourceNotFoundException: no (make it, then start)",
            ),
            (
                "shop/smtp".into(),
                |_, _| (400, json!({ "__type": "AccessDeniedException", "Message": "no" })),
                PortErrorKind::Denied,
                "AccessDeniedException: no (may the role read it? with a key of your own it needs `.allow(\"kms:Decrypt\", …)` too)",
            ),
            (
                "shop/smtp".into(),
                |_, _| (200, json!({ "SecretBinary": "AA==" })),
                PortErrorKind::Refused,
                "it is binary (keep it as text)",
            ),
        ];
        for (source, answer, kind, wanted) in cases {
            let error = read_one(source, answer).await.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().ends_with(wanted), "{error}");
        }
    }
}
