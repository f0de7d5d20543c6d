//! The way to AWS, wherever its configuration comes from.

use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// No call of these services takes this long, unless its answer is lost.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The way to AWS, where the environment doesn't say it.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A profile of the AWS configuration files.
    pub profile: Option<String>,
    /// A region; else `AWS_REGION`, or the profile's.
    pub region: Option<String>,
    /// The URL of all services; else what the environment and the profile give each: `AWS_ENDPOINT_URL_SQS` and its like,
    /// the profile's `services` section, `AWS_ENDPOINT_URL`, or AWS itself.
    pub endpoint_url: Option<String>,
}

/// A word of the caller, if it is one.
pub(crate) fn given(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

/// The HTTP client of all clients of AWS. Its TLS is ring's: half the code of the SDK's default, and built in a tenth
/// of the time. Certificates are read once, at the first call.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}
