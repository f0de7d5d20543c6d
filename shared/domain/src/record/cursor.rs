use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use super::{Index, Query};
use crate::hash128;

/// The version of a cursor's form.
const FORM: &str = "3";

/// A cursor as a page of a list gives it: which list it is of, and where the next page begins. Its text is of letters,
/// digits, dots, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The index that the next page begins in.
    pub index: Index,
    /// The place of the last entry there that was looked at; none at the beginning.
    pub place: Option<String>,
    list: String,
}

/// A cursor can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// The text is none that a page gave.
    #[error("it is no cursor (take it from the page before, unchanged)")]
    NotOne,
    /// It is of a list with another filter.
    #[error("it is of another list (use it with the filter of the page before; only the limit may be another)")]
    OfAnotherList,
}

impl Cursor {
    /// A place in the list of this name: whatever tells it from all others.
    #[must_use]
    pub fn new(list: &str, index: Index, place: Option<String>) -> Self {
        Self { index, place, list: named(list) }
    }

    /// Reads a cursor of the list of this name.
    ///
    /// # Errors
    /// If the text is no cursor, or that of another list.
    pub fn read(text: &str, list: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('.');
        let (Some(FORM), Some(index), Some(of), Some(check), Some(place), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(CursorError::NotOne);
        };
        if check != named(place) {
            return Err(CursorError::NotOne);
        }
        let place = BASE64URL_NOPAD.decode(place.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (Some(index), Some(place)) = (Index::named(index), place) else { return Err(CursorError::NotOne) };
        if of != named(list) {
            return Err(CursorError::OfAnotherList);
        }
        Ok(Self { index, place: Some(place).filter(|place| !place.is_empty()), list: of.to_owned() })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = BASE64URL_NOPAD.encode(self.place.as_deref().unwrap_or_default().as_bytes());
        write!(f, "{FORM}.{}.{}.{}.{place}", self.index.name(), self.list, named(&place))
    }
}

impl Query {
    /// The question for what follows a page that ended at this place.
    #[must_use]
    pub fn after(mut self, place: String) -> Self {
        if self.descending {
            self.below = Some(place);
        } else {
            self.from = Some(format!("{place}\0")); // The first place behind it.
        }
        self
    }
}

/// A list's name, or a place, in few characters: what was cut or changed has others.
fn named(text: &str) -> String {
    let hash = hash128(text);
    format!("{:016x}", (hash ^ (hash >> 64)) & u128::from(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_is_read_by_its_own_list_alone() {
        let cursor = Cursor::new("runs", Index::Due, Some("1\0run/ä.b".to_owned()));
        let text = cursor.to_string();
        assert_eq!(Cursor::read(&text, "runs"), Ok(cursor));
        assert_eq!(Cursor::read(&text, "deliveries"), Err(CursorError::OfAnotherList));
        let first = Cursor::new("runs", Index::Due, None);
        assert_eq!(Cursor::read(&first.to_string(), "runs"), Ok(first));
    }

    #[test]
    fn text_that_no_page_gave_is_no_cursor() {
        let text = Cursor::new("runs", Index::List, Some("1767225600000\0run/a".to_owned())).to_string();
        let other_form = text.replacen('3', "2", 1);
        let cut = (0..text.len()).map(|end| text[..end].to_owned());
        let others = ["01JD0000000000000000000000".to_owned(), other_form, format!("{text}."), format!("{text}!")];
        for text in cut.chain(others) {
            let text = &*text;
            assert_eq!(Cursor::read(text, "runs"), Err(CursorError::NotOne), "{text:?}");
        }
        assert_eq!(Cursor::read(&text.replace("list", "shelf"), "runs"), Err(CursorError::NotOne));
    }
}
