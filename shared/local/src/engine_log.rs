//! The log of the engine itself, and the failure of an invocation: nothing is printed here.

use std::{fmt, sync::Arc};

/// Something that happened in the engine. Its text is one readable line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineLog {
    /// The engine is there.
    Listening {
        /// The address, as `http://127.0.0.1:8787`.
        address: String,
    },
    /// The functions have changed, and are deployed as they are now.
    Deployed,
    /// A function wrote a line to its output or error output.
    Line {
        /// The function's name.
        function: String,
        /// The line without its end.
        line: String,
    },
    /// A process of a function was started.
    Started {
        /// The function's name.
        function: String,
        /// The process's id, while it lives.
        pid: Option<u32>,
    },
    /// The function's binary has changed: its next invocation gets a new process.
    Changed {
        /// The function's name.
        function: String,
    },
    /// A process of a function ended on its own, or was stopped at the function's timeout.
    Crashed {
        /// The function's name.
        function: String,
        /// The way it ended.
        how: String,
    },
    /// Something worth knowing, in words.
    Note(String),
}

/// The reader of the log. It must not block: it is called from the engine's own tasks.
pub type EngineLogs = Arc<dyn Fn(EngineLog) + Send + Sync>;

/// An invocation that ended in an error, or in nothing at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct InvocationFailed {
    /// The cause as far as it is known, for people.
    pub cause: String,
}

impl fmt::Display for EngineLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { address } => write!(f, "the engine listens on {address}"),
            Self::Deployed => f.write_str("the functions have changed: they are deployed as they are now"),
            Self::Line { function, line } => write!(f, "{function} | {line}"),
            Self::Started { function, pid: Some(pid) } => write!(f, "{function} started as process {pid}"),
            Self::Started { function, pid: None } => write!(f, "{function} started"),
            Self::Changed { function } => write!(f, "{function} has changed: started anew"),
            Self::Crashed { function, how } => write!(f, "{function} crashed: {how}"),
            Self::Note(text) => f.write_str(text),
        }
    }
}

impl InvocationFailed {
    /// A failure and its cause.
    #[must_use]
    pub fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into() }
    }
}
