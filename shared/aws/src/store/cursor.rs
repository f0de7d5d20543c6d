//! Where a list goes on.

use dacapo::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::Id;

/// The version of a cursor's form.
const FORM: &str = "a1";

/// The last run of a page. All shards and tasks are in the order of ids, so it says where each goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Runs before this one, which are older, come next.
    pub(super) before: Id,
}

impl Cursor {
    /// Reads a cursor.
    pub(super) fn read(text: &str) -> PortResult<Self> {
        let before = text.strip_prefix(FORM).and_then(|rest| rest.strip_prefix('.')).and_then(|id| id.parse().ok());
        before.map(|before| Self { before }).ok_or_else(|| {
            let message = format!("failed to read the cursor {text:?} (take it from the page before, unchanged)");
            PortError::new(PortErrorKind::Refused, message)
        })
    }

    /// The cursor as it travels.
    pub(super) fn text(self) -> String {
        format!("{FORM}.{}", self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor { before: "01JD0000000000000000000000".parse().unwrap() };
        assert_eq!(Cursor::read(&cursor.text()).unwrap(), cursor);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "01JD0000000000000000000000", "a1.", "a2.01JD0000000000000000000000", "a1.next"] {
            assert_eq!(Cursor::read(text).unwrap_err().kind(), PortErrorKind::Refused, "{text:?}");
        }
    }
}
