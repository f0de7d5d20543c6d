//! The names of hooks, as logs and what they start tell them apart.

use std::fmt;

/// A kind of hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as its author writes it")]
pub enum HookKind {
    Middleware,
    Init,
    OnStart,
    HandleError,
    Cleanup,
    OnSuccess,
    OnMaxIterations,
    OnFailure,
    OnAbort,
    OnComplete,
}

/// The name of a hook: of the task, or of the whole app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookName {
    /// The kind.
    pub kind: HookKind,
    /// Is true of a hook of the app.
    pub of_app: bool,
    /// The place among those of its kind, of the task or of the app, from 0.
    pub place: usize,
}

impl HookKind {
    /// The hook's name, as its author writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Middleware => "middleware",
            Self::Init => "init",
            Self::OnStart => "on_start",
            Self::HandleError => "handle_error",
            Self::Cleanup => "cleanup",
            Self::OnSuccess => "on_success",
            Self::OnMaxIterations => "on_max_iterations",
            Self::OnFailure => "on_failure",
            Self::OnAbort => "on_abort",
            Self::OnComplete => "on_complete",
        }
    }

    /// The task's own hook of this kind, or the first of them.
    #[must_use]
    pub const fn of_task(self) -> HookName {
        HookName { kind: self, of_app: false, place: 0 }
    }
}

impl HookName {
    /// The name by which what it starts is told from what others start.
    #[must_use]
    pub fn origin(self) -> String {
        let Self { kind, of_app, place } = self;
        let (of_app, name) = (if of_app { "app/" } else { "" }, kind.name());
        if place == 0 { format!("{of_app}{name}") } else { format!("{of_app}{name}/{place}") }
    }
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hook `{}`{}", self.kind.name(), if self.of_app { " of the app" } else { "" })
    }
}
