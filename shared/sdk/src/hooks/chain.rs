//! The hooks of one kind, in the order in which they run: the app's, then the task's own.

use dacapo_core::hook::{HookKind, HookName};

use super::TaskHooks;

/// The hooks of one kind.
pub(crate) struct Chain<H, A = H> {
    /// Those of the app, the outermost first.
    pub app: Vec<A>,
    /// The task's own.
    pub own: Option<H>,
}

impl<H, A> Chain<H, A> {
    pub const fn none() -> Self {
        Self { app: vec![], own: None }
    }

    pub const fn is_empty(&self) -> bool {
        self.app.is_empty() && self.own.is_none()
    }

    fn names(&self, kind: HookKind) -> impl Iterator<Item = HookName> + use<H, A> {
        let of_app = (0..self.app.len()).map(move |place| HookName { kind, of_app: true, place });
        of_app.chain(self.own.is_some().then_some(HookName { kind, of_app: false, place: 0 }))
    }
}

impl<H> Chain<H> {
    /// The hooks with their names.
    pub fn named(&self, kind: HookKind) -> impl Iterator<Item = (HookName, &H)> {
        self.names(kind).zip(self.app.iter().chain(&self.own))
    }

    /// The hook of a name, if it is of this kind.
    pub fn get(&self, name: HookName) -> Option<&H> {
        if name.of_app { self.app.get(name.place) } else { self.own.as_ref() }
    }
}

impl<O, V> TaskHooks<O, V> {
    /// The hooks of a kind that follows the end, in their order.
    pub fn names(&self, kind: HookKind) -> Vec<HookName> {
        match kind {
            HookKind::OnSuccess => self.on_success.names(kind).collect(),
            HookKind::OnFailure => self.on_failure.names(kind).collect(),
            HookKind::OnAbort => self.on_abort.names(kind).collect(),
            HookKind::OnMaxIterations => self.on_max_iterations.names(kind).collect(),
            HookKind::OnComplete => self.on_complete.names(kind).collect(),
            _ => vec![],
        }
    }
}
