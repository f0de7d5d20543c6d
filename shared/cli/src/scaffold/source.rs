//! The place that a project has Dacapo's crates from.

use std::path::{Path, PathBuf};

use toml_edit::{InlineTable, Value};

/// A place that cargo takes Dacapo's crates from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A checkout on this machine.
    Path(PathBuf),
    /// A git repository, at a tag or at its default branch.
    Git { url: String, tag: Option<String> },
    /// A version in cargo's registry.
    Version(String),
}

impl Source {
    /// Reads `path:FOLDER`, `git:URL`, `git:URL#TAG`, or a version.
    ///
    /// # Errors
    /// A text that says what is allowed, or that the folder is no checkout.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(folder) = text.strip_prefix("path:") {
            return Self::checkout(Path::new(folder))
                .ok_or_else(|| format!("{folder:?} is no checkout of Dacapo (expected shared/sdk/Cargo.toml in it)"));
        }
        if let Some(url) = text.strip_prefix("git:").filter(|url| !url.is_empty()) {
            let (url, tag) = url.split_once('#').map_or((url, None), |(url, tag)| (url, Some(tag.to_owned())));
            return Ok(Self::Git { url: url.to_owned(), tag });
        }
        let is_number = |part: &str| part.parse::<u64>().is_ok();
        if (1..=3).contains(&text.split('.').count()) && text.split('.').all(is_number) {
            return Ok(Self::Version(text.to_owned()));
        }
        Err("allowed: path:FOLDER of a checkout, git:URL, git:URL#TAG, or a version such as 0.1.0".to_owned())
    }

    /// The checkout that this program was built from, if it is still there. What `cargo install` has fetched is cargo's own, and
    /// may vanish.
    pub fn of_this_program() -> Option<Self> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
        let is_fetched = top.components().any(|part| part.as_os_str() == "checkouts");
        if is_fetched { None } else { Self::checkout(top) }
    }

    fn checkout(folder: &Path) -> Option<Self> {
        let folder = folder.canonicalize().ok()?;
        folder.join("shared/sdk/Cargo.toml").is_file().then_some(Self::Path(folder))
    }

    /// The dependency on a crate, which is in this folder of the sources.
    pub fn dependency(&self, folder: &str) -> InlineTable {
        let mut table = InlineTable::new();
        match self {
            Self::Path(top) => _ = table.insert("path", top.join(folder).display().to_string().into()),
            Self::Version(version) => _ = table.insert("version", Value::from(version)),
            Self::Git { url, tag } => {
                table.insert("git", Value::from(url));
                if let Some(tag) = tag {
                    table.insert("tag", Value::from(tag));
                }
            }
        }
        table
    }

    /// The arguments of `cargo install` for the command line.
    pub fn install(&self) -> String {
        match self {
            Self::Path(top) => format!("--path '{}'", top.join("shared/cli").display()),
            Self::Git { url, tag: None } => format!("--git '{url}' dacapo-cli"),
            Self::Git { url, tag: Some(tag) } => format!("--git '{url}' --tag '{tag}' dacapo-cli"),
            Self::Version(version) => format!("dacapo-cli@{version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn source_is_a_checkout_a_repository_or_a_version_and_anything_else_is_refused() {
        let git = |tag: Option<&str>| Source::Git { url: "https://host/d".into(), tag: tag.map(Into::into) };
        assert_eq!(Source::parse("git:https://host/d"), Ok(git(None)));
        assert_eq!(Source::parse("git:https://host/d#v1"), Ok(git(Some("v1"))));
        assert_eq!(git(Some("v1")).dependency("infra").to_string(), r#"{ git = "https://host/d", tag = "v1" }"#);
        assert_eq!(Source::parse("0.1"), Ok(Source::Version("0.1".into())));
        let here = Source::of_this_program().unwrap();
        let Source::Path(top) = &here else { panic!("{here:?}") };
        assert_eq!(Source::parse(&format!("path:{}", top.display())), Ok(here.clone()));
        for refused in ["", "git:", "latest", "0.1.0.1", "path:/", "path:"] {
            assert!(Source::parse(refused).is_err(), "{refused}");
        }
    }
}
