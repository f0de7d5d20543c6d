//! The chapter of error codes, section by section.

use crate::code;

const TROUBLESHOOTING: &str = include_str!("troubleshooting.md");

/// The section of the chapter [`troubleshooting`](super::troubleshooting) on an error code, in any case of its letters; none
/// for a code that is an author's own.
///
/// # Example
///
/// ```
/// let section = dacapo::guide::about("timeout").unwrap();
/// assert!(section.starts_with("# `TIMEOUT`\n"));
/// assert_eq!(dacapo::guide::about("NO_RATE"), None);
/// ```
#[must_use]
pub fn about(code: &str) -> Option<&'static str> {
    let code = code::ALL.iter().find(|known| known.eq_ignore_ascii_case(code))?;
    let begin = TROUBLESHOOTING.find(&format!("# `{code}`\n"))?;
    let section = &TROUBLESHOOTING[begin..];
    let end = section.find("\n\n# `").unwrap_or(section.len());
    Some(section[..end].trim_end())
}
