use serde::{Deserialize, Serialize};

/// A user has joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserJoined {
    /// The address that mail reaches them at.
    pub email: String,
}

/// Whom to welcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Welcome {
    /// The address that mail reaches them at.
    pub email: String,
}

impl Default for Welcome {
    /// The user of examples, so that the body `{}` works.
    fn default() -> Self {
        Self { email: "ada@example.org".to_owned() }
    }
}
