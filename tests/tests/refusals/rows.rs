//! Rows of the table.

use regex_lite::Regex;

/// The rows of a group so far.
#[derive(Default)]
pub struct Rows(String);

/// A text that is another one each time, and the word that stands for it.
const DIFFERS: [(&str, &str); 4] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"of \d{7} bytes", "of N bytes"),
    ("[0-9A-HJKMNP-TV-Z]{26}", "ID"),
    (r"http://127\.0\.0\.1:\d+", "http://engine"),
];

/// Characters of a row that are kept.
const KEPT: usize = 120;

impl Rows {
    /// Adds what was given and its refusal.
    pub fn add(&mut self, given: &str, refusal: &str) {
        self.0 += &format!("{}\n    {}\n", short(given), comparable(refusal).replace('\n', "\n    "));
    }

    /// Compares the group with what is kept of it.
    pub fn are(&self, group: &str) {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(group, self.0);
        });
    }
}

/// A refusal without what differs from time to time.
pub fn comparable(refusal: &str) -> String {
    let replaced = |text: String, (pattern, word): &(&str, &str)| {
        Regex::new(pattern).unwrap().replace_all(&text, *word).into_owned()
    };
    DIFFERS.iter().fold(refusal.trim_end().to_owned(), replaced)
}

fn short(given: &str) -> String {
    let chars = given.chars().count();
    if chars <= KEPT {
        return given.to_owned();
    }
    format!("{} … ({chars} characters)", given.chars().take(KEPT / 2).collect::<String>())
}
