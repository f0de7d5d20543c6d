//! Refusals of a service as errors of a port.

use std::{error::Error, fmt};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use dacapo_core::port::{PortError, PortErrorKind};

/// An operation that was tried, as the end of "failed to …".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    verb: &'a str,
    name: Option<&'a str>,
}

impl<'a> Operation<'a> {
    pub(crate) const fn new(verb: &'a str) -> Self {
        Self { verb, name: None }
    }

    /// The same of one thing, which has a name.
    pub(crate) const fn of(verb: &'a str, name: &'a str) -> Self {
        Self { verb, name: Some(name) }
    }
}

/// The verb and the name, as the end of "failed to …" has them.
impl fmt::Display for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => write!(f, "{} {name:?}", self.verb),
            None => f.write_str(self.verb),
        }
    }
}

/// The place that errors of the SDK come from, by which they become port errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errors<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) region: &'a str,
    pub(crate) endpoint: Option<&'a str>,
}

impl Errors<'_> {
    /// The port error of a failed call.
    pub(crate) fn port<E>(&self, operation: Operation<'_>, error: SdkError<E>) -> PortError
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let (kind, detail) = self.read(&error);
        let asked = self.endpoint.filter(|endpoint| !detail.contains(endpoint));
        let asked = asked.map(|endpoint| format!(" (asked at {endpoint})")).unwrap_or_default();
        PortError::new(kind, format!("failed to {operation}: {detail}{asked}")).caused_by(error)
    }

    /// The port error of an operation that a service has refused, by the code and the message that it told.
    pub(crate) fn refused(
        &self,
        operation: Operation<'_>,
        code: Option<&str>,
        message: Option<&str>,
        status: u16,
    ) -> PortError {
        let (kind, detail) = self.refusal(code, message, status);
        PortError::new(kind, format!("failed to {operation}: {detail}"))
    }

    fn read<E>(&self, error: &SdkError<E>) -> (PortErrorKind, String)
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        if has_cause::<CredentialsError>(error) {
            let detail = "no AWS credentials (set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)";
            return (PortErrorKind::Denied, detail.to_owned());
        }
        match error {
            SdkError::DispatchFailure(failure) if failure.is_timeout() => self.no_answer(),
            // It was never sent: what is configured doesn't go together, as FIPS and an endpoint of one's own.
            SdkError::DispatchFailure(failure) if failure.is_other() && failure.as_other().is_none() => {
                (PortErrorKind::Refused, chain(error))
            }
            SdkError::DispatchFailure(_) => (PortErrorKind::Unreachable, self.unreachable()),
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => self.no_answer(),
            SdkError::ServiceError(refusal) => {
                let status = refusal.raw().status().as_u16();
                self.refusal(refusal.err().code(), refusal.err().message(), status)
            }
            // What can't be built was wrong from the start; the source says what.
            _ => (PortErrorKind::Refused, chain(error)),
        }
    }

    fn refusal(&self, code: Option<&str>, message: Option<&str>, status: u16) -> (PortErrorKind, String) {
        let code = code.unwrap_or("unknown error");
        let told = message.map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"));
        // SQS's older protocol puts its own name before a code.
        match code.rsplit(['.', '#']).next().unwrap_or(code) {
            "ResourceNotFoundException"
            | "QueueDoesNotExist"
            | "NonExistentQueue"
            | "StateMachineDoesNotExist"
            | "TableNotFoundException" => (PortErrorKind::NotDeployed, self.not_deployed(&told)),
            "ExpiredToken" | "ExpiredTokenException" => {
                (PortErrorKind::Denied, format!("{told} (the credentials have expired; log in again)"))
            }
            "AccessDenied"
            | "AccessDeniedException"
            | "AuthFailure"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "NotAuthorized"
            | "OptInRequired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => {
                (PortErrorKind::Denied, format!("{told} (check the credentials and what their role allows)"))
            }
            "ItemCollectionSizeLimitExceededException"
            | "LimitExceededException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "TransactionConflictException"
            | "TransactionInProgressException" => (PortErrorKind::Transient, format!("{told} (throttled)")),
            _ if status >= 500 || status == 429 => (PortErrorKind::Transient, told),
            _ => (PortErrorKind::Refused, told),
        }
    }

    fn not_deployed(&self, told: &str) -> String {
        let Self { prefix, region, endpoint } = self;
        let place = endpoint.map(|endpoint| format!(" at {endpoint}")).unwrap_or_default();
        let (app, stage) = prefix.rsplit_once('-').unwrap_or((prefix, ""));
        format!(
            "no stack {prefix} in {region}{place} (run `make deploy APP={app} STAGE={stage}`), or it lacks this: {told}"
        )
    }

    fn unreachable(&self) -> String {
        match self.endpoint {
            Some(endpoint) => format!("can't reach {endpoint} (is it running?)"),
            None => format!("can't reach AWS in {} (is there a network?)", self.region),
        }
    }

    fn no_answer(&self) -> (PortErrorKind, String) {
        let place = self.endpoint.map_or_else(|| format!("AWS in {}", self.region), ToOwned::to_owned);
        (PortErrorKind::Transient, format!("no answer from {place} in time (try again)"))
    }
}

/// The error's own text and those of its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn has_cause<C: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<C>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERRORS: Errors<'static> = Errors { prefix: "shop-dev", region: "eu-west-1", endpoint: None };

    #[test]
    fn refusal_of_each_code_has_its_kind() {
        for (code, status, kind) in [
            ("ResourceNotFoundException", 400, PortErrorKind::NotDeployed),
            ("AWS.SimpleQueueService.NonExistentQueue", 400, PortErrorKind::NotDeployed),
            ("StateMachineDoesNotExist", 400, PortErrorKind::NotDeployed),
            ("ExpiredTokenException", 400, PortErrorKind::Denied),
            ("AccessDeniedException", 400, PortErrorKind::Denied),
            ("ThrottlingException", 400, PortErrorKind::Transient),
            ("InternalServerError", 500, PortErrorKind::Transient),
            ("ValidationException", 400, PortErrorKind::Refused),
        ] {
            assert_eq!(ERRORS.refusal(Some(code), None, status).0, kind, "{code}");
        }
    }

    #[test]
    fn stack_that_is_not_there_is_named_with_the_remedy() {
        let (_, text) = ERRORS.refusal(Some("ResourceNotFoundException"), Some("Requested resource not found"), 400);
        assert_eq!(
            text,
            "no stack shop-dev in eu-west-1 (run `make deploy APP=shop STAGE=dev`), or it lacks this: \
             ResourceNotFoundException: Requested resource not found"
        );
    }

    #[test]
    fn endpoint_that_is_not_there_is_named() {
        let errors = Errors { endpoint: Some("http://127.0.0.1:4566"), ..ERRORS };
        assert_eq!(errors.unreachable(), "can't reach http://127.0.0.1:4566 (is it running?)");
    }
}
