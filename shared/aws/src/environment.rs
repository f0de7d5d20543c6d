//! The configuration in Lambda, where the environment says all of it: no file is read, no service is asked, and a
//! function's binary holds none of the code that could.

use std::{collections::HashMap, fmt, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_types::retry::RetryMode;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::access::{ATTEMPT_TIMEOUT, Access, given, http_client};

/// The variable that, true, has those of endpoints left out.
const IGNORED: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
/// As by the SDK's own configuration.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

/// The variables that give each service its endpoint.
struct Endpoints(HashMap<String, String>);

/// The configuration that the variables give. What they say wrongly is left out, as by AWS's SDK.
pub fn config(access: &Access, variables: &HashMap<String, String>) -> SdkConfig {
    let text = |name: &str| variables.get(name).cloned();
    let is_on = |name: &str| text(name).map(|text| text.eq_ignore_ascii_case("true"));
    let region = given(&access.region).or_else(|| text("AWS_REGION")).or_else(|| text("AWS_DEFAULT_REGION"));
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        .timeout_config(timeouts.operation_attempt_timeout(ATTEMPT_TIMEOUT).build())
        .region(region.map(Region::new))
        .sleep_impl(TokioSleep::new())
        .service_config(Endpoints(variables.clone()));
    config.set_use_fips(is_on("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(is_on("AWS_USE_DUALSTACK_ENDPOINT"));
    config.set_retry_config(retries(variables));
    let ignores = is_on(IGNORED) == Some(true);
    config.set_endpoint_url(given(&access.endpoint_url).or_else(|| text("AWS_ENDPOINT_URL").filter(|_| !ignores)));
    if let (Some(id), Some(secret)) = (text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY")) {
        let credentials = Credentials::new(id, secret, text("AWS_SESSION_TOKEN"), None, "environment");
        config.set_credentials_provider(Some(SharedCredentialsProvider::new(credentials)));
    }
    config.build()
}

/// The retries that the user asks for.
fn retries(variables: &HashMap<String, String>) -> Option<RetryConfig> {
    let mode: Option<RetryMode> = variables.get("AWS_RETRY_MODE").and_then(|mode| mode.parse().ok());
    let attempts: Option<u32> = variables.get("AWS_MAX_ATTEMPTS").and_then(|attempts| attempts.parse().ok());
    let attempts = attempts.filter(|attempts| *attempts > 0);
    let config = match mode {
        None if attempts.is_none() => return None,
        Some(RetryMode::Adaptive) => RetryConfig::adaptive(),
        _ => RetryConfig::standard(),
    };
    Some(attempts.map_or(config.clone(), |attempts| config.with_max_attempts(attempts)))
}

impl LoadServiceConfig for Endpoints {
    /// As `AWS_ENDPOINT_URL_SQS` or, for a service of two words, `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if self.0.get(IGNORED).is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return None;
        }
        let service = key.service_id().to_ascii_uppercase().replace([' ', '-'], "_");
        self.0.get(&format!("{}_{service}", key.env())).or_else(|| self.0.get(key.env())).cloned()
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endpoints")
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::ProvideCredentials;

    use super::*;

    fn of(variables: &[(&str, &str)]) -> SdkConfig {
        config(
            &Access::default(),
            &variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[tokio::test]
    async fn region_and_credentials_are_those_that_lambda_gives() {
        let config = of(&[
            ("AWS_REGION", "eu-central-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
        ]);
        assert_eq!(config.region().map(AsRef::as_ref), Some("eu-central-1"));
        let credentials = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
        assert_eq!((credentials.access_key_id(), credentials.secret_access_key()), ("id", "secret"));
        assert_eq!(credentials.session_token(), Some("token"));
        assert_eq!(of(&[("AWS_DEFAULT_REGION", "us-east-1")]).region().map(AsRef::as_ref), Some("us-east-1"));
    }

    #[test]
    fn endpoint_of_a_service_stands_before_that_of_all() {
        let [all, sqs, of_secrets] = ["http://all", "http://sqs", "http://secrets"].map(|url| Some(url.to_owned()));
        let given = [
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_ENDPOINT_URL_SQS", "http://sqs"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets"),
        ];
        let config = of(&given);
        let endpoint = |config: &SdkConfig, service| {
            let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
            config.service_config().unwrap().load_config(key.build().unwrap())
        };
        assert_eq!(["SQS", "DynamoDB", "Secrets Manager"].map(|it| endpoint(&config, it)), [sqs, all, of_secrets]);
        assert_eq!(config.endpoint_url(), Some("http://all"));

        let ignored = of(&[given.as_slice(), &[(IGNORED, "true")]].concat());
        assert_eq!((endpoint(&ignored, "SQS"), ignored.endpoint_url()), (None, None));
    }

    #[test]
    fn retries_and_variants_of_endpoints_are_as_asked() {
        let config =
            of(&[("AWS_RETRY_MODE", "Adaptive"), ("AWS_MAX_ATTEMPTS", "7"), ("AWS_USE_FIPS_ENDPOINT", "TRUE")]);
        let retries = config.retry_config().unwrap();
        assert_eq!((retries.mode(), retries.max_attempts()), (RetryMode::Adaptive, 7));
        assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(true), None));
        assert!(of(&[("AWS_MAX_ATTEMPTS", "none"), ("AWS_RETRY_MODE", "some")]).retry_config().is_none());
    }
}
