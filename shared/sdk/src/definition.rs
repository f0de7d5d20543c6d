//! The definition of a function: its handlers without their types, and what is wrong with its options.

use dacapo_core::function::Handlers;
use dacapo_domain::{FunctionEntry, Manifest, Requirements};

use crate::Hooks;

/// The export of a function's crate: a task, an event handler, or an array of event handlers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function",
    label = "a function is one task, or any number of event handlers",
    note = "return `task(NAME, handler)`, `on(NAME, handler)`, or `[on(NAME, handler), …]`",
    note = "a handler that asks for an `EventContext<V>` gets its `V` by `.init(…)` or `.value(…)`"
)]
pub trait Function {
    #[doc(hidden)]
    fn define(self) -> Definition;

    /// The same within the hooks of its app. Handlers of events have none.
    #[doc(hidden)]
    #[must_use]
    fn within(self, _hooks: &Hooks) -> Self
    where
        Self: Sized,
    {
        self
    }
}

/// The definition of a function, as the runner and the manifest see it.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The Lambda's memory in MB.
    pub memory_mb: u32,
    /// The needs of the account beside what Dacapo uses itself.
    pub requires: Requirements,
    /// The handlers.
    pub handlers: Handlers,
    /// Options that are refused, each with what was given and what is allowed.
    pub problems: Vec<String>,
}

impl Definition {
    /// The definition of a function.
    #[must_use]
    pub fn of(function: impl Function) -> Self {
        function.define()
    }

    /// The manifest's entry of the function in this crate.
    ///
    /// # Errors
    /// All options that are refused, each with what was given and what is allowed; or a name that Dacapo uses itself.
    pub fn describe(&self, crate_name: &str) -> Result<FunctionEntry, Vec<String>> {
        if !self.problems.is_empty() {
            return Err(self.problems.clone());
        }
        let entry = self.handlers.entry(crate_name, self.memory_mb).requiring(self.requires.clone());
        // What is wrong with it alone is wrong in any app.
        Manifest::new("app", vec![entry.clone()]).map_err(|error| vec![error.to_string()])?;
        Ok(entry)
    }
}

impl Hooks {
    /// The function within these hooks.
    pub fn around<F: Function>(&self, function: F) -> F {
        function.within(self)
    }
}
