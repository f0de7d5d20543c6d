//! A finding: what was looked at, how it is, and what to do.

use serde::Serialize;

use crate::failure::exit;

/// The weight of a finding, the lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// All is as it should be.
    Ok,
    /// Good to know.
    Note,
    /// It works, and may soon not.
    Warning,
    /// It doesn't work.
    Problem,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing that was examined.
    pub check: &'static str,
    /// The weight.
    pub severity: Severity,
    /// The state of it, in words.
    pub found: String,
    /// The command or step to go on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The exit code of a program that finds nothing graver.
    #[serde(skip)]
    pub exit: u8,
}

/// A finding.
pub fn is(check: &'static str, severity: Severity, found: impl Into<String>, next: Option<String>) -> Finding {
    let exit = if severity == Severity::Problem { exit::FAILED } else { exit::DONE };
    Finding { check, severity, found: found.into(), next, exit }
}

/// A finding that all is as it should be.
pub fn ok(check: &'static str, found: impl Into<String>) -> Finding {
    is(check, Severity::Ok, found, None)
}

/// A question that was refused: no judgement of what was asked about.
pub fn unknown(check: &'static str, why: &str) -> Finding {
    is(check, Severity::Note, why, Some("see what the role of these credentials allows".to_owned()))
}
