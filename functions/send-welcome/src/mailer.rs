use std::sync::{Arc, Mutex, PoisonError};

use dacapo::TaskError;

/// Sends mail; this sample's keeps it instead. Clones share what they keep.
#[derive(Clone, Debug, Default)]
pub struct Mailer {
    sent: Arc<Mutex<Vec<String>>>,
}

impl Mailer {
    /// Connects to the mail server: here would be an address, and a password out of a vault.
    pub(crate) async fn connect() -> Result<Self, TaskError> {
        Ok(Self::default())
    }

    /// Sends a text.
    pub(crate) async fn send(&self, to: &str, text: &str) -> Result<(), TaskError> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{to}: {text}"));
        Ok(())
    }

    /// The mails that were sent, the first first.
    #[must_use]
    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
