//! The configuration outside Lambda, as AWS's SDK finds it: in the environment and in files, and with roles.

use std::collections::HashMap;

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_types::os_shim_internal::Env;

use crate::access::{ATTEMPT_TIMEOUT, Access, given, http_client};

/// The configuration that AWS's SDK finds.
pub async fn config(access: &Access, variables: &HashMap<String, String>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .env(Env::from(variables.clone()))
        .http_client(http_client())
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build());
    if let Some(profile) = given(&access.profile) {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = given(&access.region) {
        loader = loader.region(Region::new(region));
    }
    if let Some(endpoint_url) = given(&access.endpoint_url) {
        loader = loader.endpoint_url(endpoint_url);
    }
    loader.load().await
}
