//! The variables of a function: its environment's and its secrets, read once per process.

use std::{collections::BTreeMap, fmt, sync::Arc};

use dacapo_domain::Requirements;

use crate::{Error, ErrorKind};

/// The values of a function's variables by name, secrets included; of those that its definition names and that have no
/// value here, the names. Cheap to clone; its text for debugging has names alone.
#[derive(Clone, Default)]
pub struct Variables(Arc<BTreeMap<String, Option<String>>>);

impl Variables {
    /// The variables of a function, each with the value that is given it, if it is.
    #[must_use]
    pub fn of(requires: &Requirements, given: impl Fn(&str) -> Option<String>) -> Self {
        Self(Arc::new(requires.variables().map(|name| (name.to_owned(), given(name))).collect()))
    }

    /// The same outside of AWS: what is given none has the text of the function's definition, unless a deploy alone knows
    /// it. A secret is given, or has no value.
    #[must_use]
    pub fn outside_aws(requires: &Requirements, given: impl Fn(&str) -> Option<String>) -> Self {
        let said = |name: &str| requires.environment.get(name).filter(|text| !text.contains("${")).cloned();
        Self::of(requires, |name| given(name).or_else(|| said(name)))
    }

    /// The names of those that have no value.
    #[must_use]
    pub fn missing(&self) -> Vec<&str> {
        self.0.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str()).collect()
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// `Usage` for one that the function's definition doesn't name, or that has no value here.
    pub fn get(&self, name: &str) -> Result<&str, Error> {
        let found = self.0.get(name);
        found.and_then(Option::as_deref).ok_or_else(|| {
            if found.is_some() {
                let text = format!("read the variable {name:?}: it has no value here (a test gives it one by `TestApp::variable`)");
                return Error::new(ErrorKind::Usage, text);
            }
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let text = format!(
                "read the variable {name:?} (name it by `.environment({name:?}, …)` or `.secret({name:?}, …)` where the \
                function is defined; the function has {known})"
            );
            Error::new(ErrorKind::Usage, text)
        })
    }

    /// All that have a value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use dacapo_domain::SecretSource;

    use super::*;

    fn requires() -> Requirements {
        let text = |text: &str| text.to_owned();
        Requirements {
            environment: [(text("SENDER"), text("mail@shop.example")), (text("BUCKET"), text("${Invoices}"))].into(),
            secrets: [(text("PASSWORD"), SecretSource::from("shop/smtp"))].into(),
            ..Requirements::default()
        }
    }

    #[test]
    fn outside_of_aws_the_definition_gives_what_no_deploy_and_no_secret_store_has_to_tell() {
        let none_given = Variables::outside_aws(&requires(), |_| None);
        assert_eq!(none_given.get("SENDER").unwrap(), "mail@shop.example");
        assert_eq!(none_given.missing(), ["BUCKET", "PASSWORD"]);
        let given = Variables::outside_aws(&requires(), |name| Some(format!("{name} of the test")));
        assert_eq!((given.get("SENDER").unwrap(), given.missing().len()), ("SENDER of the test", 0));
    }

    #[test]
    fn text_for_debugging_has_the_names_and_no_value() {
        let variables = Variables::of(&requires(), |_| Some("geheim".to_owned()));
        assert_eq!(format!("{variables:?}"), r#"{"BUCKET", "PASSWORD", "SENDER"}"#);
    }
}
