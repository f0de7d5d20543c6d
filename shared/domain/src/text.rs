//! Texts that are kept with a record: long ones are cut, so that the record can always be stored.

/// The text in at most so many bytes: a longer one ends in its full size.
#[must_use]
pub fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        let note = format!(" … (cut: {} bytes)", text.len());
        text.truncate(text.floor_char_boundary(bytes.saturating_sub(note.len())));
        text.push_str(&note);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_too_long_is_cut_between_characters_and_tells_its_full_size() {
        assert_eq!(cut("é".repeat(20), 40), "é".repeat(20));
        let cut_once = cut("é".repeat(21), 40);
        assert_eq!(cut_once, format!("{} … (cut: 42 bytes)", "é".repeat(10)));
        assert_eq!(cut(cut_once.clone(), 40), cut_once);
    }
}
