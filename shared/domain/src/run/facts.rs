//! What the conductor finds out about an overdue run.

/// What the conductor must find out before it can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the record says it all.
    Nothing,
    /// Whether the function's queue shows anything visible.
    Backlog,
    /// Whether the execution of the record's generation is running.
    Execution,
}

/// What the conductor has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facts {
    /// The record was enough.
    Nothing,
    /// Whether the function's queue has a backlog.
    Backlog(bool),
    /// Whether the execution is running.
    Executing(bool),
}
