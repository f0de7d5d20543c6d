//! The name of a task or an event, and what its function and its Rust are called after it.

use dacapo_domain::{check_event_name, check_task_name, slug};

use crate::failure::{CliError, CliResult};

/// Names that no function's crate can have beside what every app has, or what Rust itself has.
const TAKEN: &[&str] =
    &["alloc", "app", "conductor", "core", "dacapo", "infra", "proc-macro", "serde", "std", "test", "tests", "tokio"];

/// The words of Rust that no crate and no module can be called.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// A name, as it was given and as each place needs it.
#[derive(Debug)]
pub struct Name {
    /// As runs and events are called: `user.joined`.
    text: String,
    /// The crate and its folder: `user-joined`.
    pub slug: String,
    /// The module of its types: `user_joined`.
    pub module: String,
}

impl Name {
    /// The name of a task.
    ///
    /// # Errors
    /// As usage, if a task can't be called so, or no crate after it.
    pub fn of_task(text: &str) -> CliResult<Self> {
        check_task_name(text).map_err(|error| CliError::usage(error.to_string()))?;
        Self::new(text)
    }

    /// The name of an event.
    ///
    /// # Errors
    /// As usage, if an event can't be called so, or no crate after it.
    pub fn of_event(text: &str) -> CliResult<Self> {
        check_event_name(text).map_err(|error| CliError::usage(error.to_string()))?;
        Self::new(text)
    }

    fn new(text: &str) -> CliResult<Self> {
        let slug = slug(text);
        let refused = |why| Err(CliError::usage(format!("{text:?} would make a crate {slug:?}, {why}")));
        if !slug.starts_with(|c: char| c.is_ascii_lowercase()) {
            return refused("and a crate's name begins with a letter (give another name)");
        }
        if TAKEN.contains(&&*slug) || KEYWORDS.contains(&&*slug) {
            return refused("which is a word of Rust's or a crate of every app (give another name)");
        }
        Ok(Self { text: text.to_owned(), module: slug.replace('-', "_"), slug })
    }

    /// A template with the name in the place of the one it is written for.
    pub fn put_into(&self, template: &str) -> String {
        let camel: String = self.slug.split('-').map(capitalized).collect();
        template
            .replace("\"my.name\"", &format!("{:?}", self.text))
            .replace("my-name", &self.slug)
            .replace("my_name", &self.module)
            .replace("MY_NAME", &self.module.to_uppercase())
            .replace("MyName", &camel)
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn name_is_put_into_a_template_as_each_place_needs_it() {
        let name = Name::of_task("Send the Mail 2").unwrap();
        let template = "use my_name::MY_NAME; struct MyNameInput; // functions/my-name\nTaskRef::new(\"my.name\")";
        let wanted = "use send_the_mail_2::SEND_THE_MAIL_2; struct SendTheMail2Input; // functions/send-the-mail-2\n\
                      TaskRef::new(\"Send the Mail 2\")";
        assert_eq!(name.put_into(template), wanted);
    }

    #[test]
    fn name_that_no_crate_can_have_is_refused() {
        for name in ["2 go", "match", "Serde", "app", "conductor"] {
            let refused = Name::of_task(name).unwrap_err();
            assert!(refused.message.contains("would make a crate"), "{refused:?}");
        }
        assert!(Name::of_task("").is_err() && Name::of_event("task.failed").is_err());
    }
}
