//! Texts of errors, which may hold what was given at length.

/// A text in which what is given at length, as a name of a megabyte, is cut: its beginning, its size, and its end, which
/// says what to do.
pub(crate) fn brief(text: String) -> String {
    const LONGEST: usize = 1_000;
    const BEGINNING: usize = 200;
    const END: usize = 300;
    if text.len() <= LONGEST {
        return text;
    }
    let beginning = &text[..text.floor_char_boundary(BEGINNING)];
    let end = &text[text.ceil_char_boundary(text.len() - END)..];
    format!("{beginning} … ({} bytes) … {end}", text.len())
}
