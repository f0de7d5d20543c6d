//! From an environment to ports.

use std::{collections::HashMap, env, sync::Arc, time::Duration};

use aws_config::{SdkConfig, retry::RetryConfig};
use dacapo_core::port::{Clock, PortError, PortErrorKind, PortResult, Ports, SystemClock};

use crate::{
    access::Access,
    clock::{AskingClock, AwsClock},
    environment,
    queues::Queues,
    records::DynamoRecords,
    scheduler::Scheduler,
    services::{AwsOutbox, AwsProbe},
    stack::{Endpoints, Stack},
    wait_loop::WaitLoop,
};

/// Tries of one call, the first included. The waits between them are short, so that a terminal says within two
/// seconds that there is no network.
const ATTEMPTS: u32 = 5;
pub(crate) const FIRST_BACKOFF: Duration = Duration::from_millis(50);
pub(crate) const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// The ports of an app and stage on AWS. Nothing is called yet.
///
/// ```no_run
/// # async fn connect() -> Result<(), dacapo_core::port::PortError> {
/// let ports = dacapo_aws::connect("shop", "dev", &dacapo_aws::Access::default()).await?;
/// let is_busy = ports.probe.has_backlog("send-welcome").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Denied` if no region is set.
pub async fn connect(app: &str, stage: &str, access: &Access) -> PortResult<Ports> {
    ports(app, stage, &sdk_config(access).await)
}

/// The same with the caller's own credentials, region and endpoint.
///
/// # Errors
/// `Denied` if no region is set.
pub fn ports(app: &str, stage: &str, config: &SdkConfig) -> PortResult<Ports> {
    ports_by(app, stage, config, |clock| clock)
}

/// The same by a clock that is made of AWS's own: one that tests set ahead, say.
///
/// # Errors
/// `Denied` if no region is set.
pub fn ports_by(
    app: &str,
    stage: &str,
    config: &SdkConfig,
    clock: impl FnOnce(Arc<dyn Clock>) -> Arc<dyn Clock>,
) -> PortResult<Ports> {
    let Some(region) = config.region().map(ToString::to_string).filter(|region| !region.is_empty()) else {
        let message = "no AWS region (set AWS_REGION, or the profile's region)";
        return Err(PortError::new(PortErrorKind::Denied, message));
    };
    let variables = set_variables();
    let account = variables.get("DACAPO_ACCOUNT").cloned();
    let endpoints = Endpoints::of(config);
    if let Some(odd) = endpoints.odd() {
        let message = format!(
            "the endpoint {odd:?} is no URL (expected such as http://127.0.0.1:4566; see \
            --endpoint-url, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SQS and its like, and the profile's endpoint_url)"
        );
        return Err(PortError::new(PortErrorKind::Denied, message));
    }
    let is_aws = endpoints == Endpoints::default();
    let stack = Arc::new(Stack::new(app, stage, &region, endpoints, account));

    // A function's clock is AWS's own.
    let in_lambda = variables.contains_key("AWS_LAMBDA_RUNTIME_API") && is_aws;
    let (follows, dynamodb) = (AwsClock::default(), aws_sdk_dynamodb::config::Builder::from(config));
    let dynamodb = if in_lambda { dynamodb } else { dynamodb.interceptor(follows.clone()) };
    let dynamodb = aws_sdk_dynamodb::Client::from_conf(dynamodb.build());
    let clock = clock(if in_lambda {
        Arc::new(SystemClock)
    } else {
        Arc::new(AskingClock { follows, client: dynamodb.clone(), stack: Arc::clone(&stack) })
    });
    let scheduler = aws_sdk_scheduler::Client::new(config);
    let scheduler = Scheduler::new(scheduler, dynamodb.clone(), Arc::clone(&stack), Arc::clone(&clock));
    let queues = Arc::new(Queues::new(aws_sdk_sqs::Client::new(config), Arc::clone(&stack)));
    let wait_loop = WaitLoop::new(aws_sdk_sfn::Client::new(config), dynamodb.clone(), Arc::clone(&stack));
    let wait_loop = Arc::new(wait_loop);
    let probe = Arc::new(AwsProbe { queues: Arc::clone(&queues), wait_loop: Arc::clone(&wait_loop) });
    let outbox = Arc::new(AwsOutbox { queues, scheduler, wait_loop });
    let records = Arc::new(DynamoRecords::new(dynamodb, stack, Arc::clone(&clock), outbox.clone()));
    Ok(Ports { records, outbox, probe, clock })
}

/// The configuration that all clients of AWS share: credentials, region, endpoints, retries, and one pool of
/// connections.
pub async fn sdk_config(access: &Access) -> SdkConfig {
    let variables = set_variables();
    // In Lambda the environment says it all.
    #[cfg(feature = "files")]
    let config = match variables.contains_key("AWS_LAMBDA_RUNTIME_API") {
        true => environment::config(access, &variables),
        false => crate::files::config(access, &variables).await,
    };
    #[cfg(not(feature = "files"))]
    let config = environment::config(access, &variables);
    // The user's word on retries, of the environment or of the profile, is theirs.
    let asks_for_retries = |name| variables.contains_key(name);
    if ["AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"].into_iter().any(asks_for_retries)
        || config.retry_config().is_some_and(|retries| *retries != RetryConfig::standard())
    {
        return config;
    }
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF);
    config.into_builder().retry_config(retries).build()
}

/// The variables of the environment. One that is set to nothing is not set, as for AWS's other tools; its SDK takes some
/// of them for a value, as a region of no name.
fn set_variables() -> HashMap<String, String> {
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    variables.filter(|(_, value)| !value.is_empty()).collect()
}
