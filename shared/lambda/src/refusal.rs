//! The answer of a function that can't answer otherwise.

use dacapo_core::{
    port::{PortError, PortErrorKind},
    runner::InvokeError,
};
use lambda_runtime::Diagnostic;

/// The reason why an invocation failed. Its name crosses a service border, so it is chosen by hand and kept.
#[derive(Debug)]
pub(crate) struct Refusal(InvokeError);

impl From<InvokeError> for Refusal {
    fn from(error: InvokeError) -> Self {
        Self(error)
    }
}

impl From<Refusal> for Diagnostic {
    fn from(Refusal(error): Refusal) -> Self {
        let error_type = match &error {
            InvokeError::Payload(_) => "Dacapo.Payload",
            InvokeError::Port(error) => name(error),
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

fn name(error: &PortError) -> &'static str {
    match error.kind() {
        PortErrorKind::Transient => "Dacapo.Transient",
        PortErrorKind::Unreachable => "Dacapo.Unreachable",
        PortErrorKind::Denied => "Dacapo.Denied",
        PortErrorKind::NotDeployed => "Dacapo.NotDeployed",
        PortErrorKind::Refused => "Dacapo.Refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_of_an_invocation_is_named_for_its_kind() {
        let throttled = PortError::new(PortErrorKind::Transient, "failed to save the record: throttled");
        let Diagnostic { error_type, error_message } = Refusal(throttled.into()).into();
        assert_eq!(error_type, "Dacapo.Transient");
        assert_eq!(error_message, "failed to save the record: throttled");

        let Diagnostic { error_type, .. } = Refusal(InvokeError::Payload("it holds event handlers".into())).into();
        assert_eq!(error_type, "Dacapo.Payload");
    }
}
