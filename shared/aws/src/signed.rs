//! Signed calls of our own: a few operations, whose SDK crates would take longer to build than all of Dacapo.

use std::{error::Error, time::SystemTime};

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
    client::{http::HttpConnector, identity::Identity, orchestrator::HttpRequest},
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dacapo_core::port::{PortError, PortErrorKind, PortResult};

use crate::stack::{dns_suffix, endpoint_of};

pub(crate) type AnyError = Box<dyn Error + Send + Sync>;

/// A service: the id by which variables and profiles name it, and its name in endpoints and signatures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) endpoint: &'static str,
}

/// A request to a service.
pub(crate) struct Request<'a> {
    pub(crate) to: Called,
    pub(crate) method: &'static str,
    /// The path, without the slash that begins it.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: String,
}

/// The common part of all calls.
pub(crate) struct SignedCalls {
    config: SdkConfig,
    region: String,
    connector: Connector,
    identity: Identity,
}

impl SignedCalls {
    /// The calls by these settings; `what` is what they are for, as the end of "failed to …".
    ///
    /// # Errors
    /// `Denied` without a region or credentials.
    pub(crate) async fn of(config: &SdkConfig, what: &str) -> PortResult<Self> {
        let denied = |text: &str| PortError::new(PortErrorKind::Denied, format!("failed to {what}: {text}"));
        let region = config.region().ok_or_else(|| denied("no AWS region (set AWS_REGION)"))?.to_string();
        let missing = "no AWS credentials (set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)";
        let provider = config.credentials_provider().ok_or_else(|| denied(missing))?;
        let credentials = provider.provide_credentials().await;
        let identity = credentials.map_err(|error| denied(missing).caused_by(error))?.into();
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        Ok(Self { config: config.clone(), region, connector, identity })
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The endpoint of a service, as its own client would take it.
    pub(crate) fn endpoint(&self, to: Called) -> String {
        let own = endpoint_of(&self.config, to.id);
        let endpoint =
            own.unwrap_or_else(|| format!("https://{}.{}.{}", to.endpoint, self.region, dns_suffix(&self.region)));
        endpoint.trim_end_matches('/').to_owned()
    }

    /// Is true where a service is asked at AWS itself.
    pub(crate) fn is_aws(&self, to: Called) -> bool {
        endpoint_of(&self.config, to.id).is_none()
    }

    /// Sends a request, once.
    ///
    /// # Errors
    /// If nothing answers.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<(StatusCode, Vec<u8>), AnyError> {
        let reply = self.connector.call(request).await?;
        let status = reply.status();
        Ok((status, http_body_util::BodyExt::collect(reply.into_body()).await?.to_bytes().to_vec()))
    }

    /// Makes a request, and signs it.
    ///
    /// # Errors
    /// If it can't be made: its endpoint is no URL, say.
    pub(crate) fn request(&self, request: Request<'_>) -> Result<HttpRequest, AnyError> {
        let Request { to, method, path, headers, body } = request;
        let url = format!("{}/{path}", self.endpoint(to));
        let mut request = http::Request::builder().method(method).uri(&url);
        for (header, value) in headers {
            request = request.header(*header, *value);
        }
        let params = SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(to.name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable =
            SignableRequest::new(method, &url, headers.iter().copied(), SignableBody::Bytes(body.as_bytes()))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = request.body(SdkBody::from(body))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request.try_into()?)
    }
}
