//! The conductor's questions about an overdue run, and the answers.

/// A question that the conductor must answer before it can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the record says it all.
    Nothing,
    /// The question whether the function's queue shows anything visible.
    Backlog,
    /// The question whether the execution of the record's generation is running.
    Execution,
}

/// A finding of the conductor about an overdue run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facts {
    /// The record was enough.
    Nothing,
    /// Is true where the function's queue has a backlog.
    Backlog(bool),
    /// Is true where the execution is running.
    Executing(bool),
}
