//! The variables of functions on this machine: from the environment, from `.env`, and from the functions themselves.

use std::{collections::BTreeMap, fs, path::Path};

use dacapo_core::Variables;
use dacapo_domain::FunctionEntry;

use crate::failure::{CliError, CliResult};

/// The file of variables, at the workspace's top.
pub const DOT_ENV: &str = ".env";

/// The variable by which a function's process is told what to log.
const LOG_LEVEL: &str = "RUST_LOG";

/// The variables that this machine gives functions: the environment's variables, then those of the file `.env` at the workspace's top.
pub struct Given(BTreeMap<String, String>);

impl Given {
    /// Reads `.env`, where there is one.
    ///
    /// # Errors
    /// If the file can't be read, or an entry of it is none: by its number, since its text is a secret.
    pub fn read(root: &Path) -> CliResult<Self> {
        let file = root.join(DOT_ENV);
        if !file.is_file() {
            return Ok(Self(BTreeMap::new()));
        }
        let text = fs::read_to_string(&file)
            .map_err(|error| CliError::failed(format!("failed to read {}: {error}", file.display())))?;
        let entries = dotenvy::from_read_iter(text.strip_prefix('\u{feff}').unwrap_or(&text).as_bytes());
        let read = |(index, entry): (usize, dotenvy::Result<_>)| {
            let (file, number) = (file.display(), index + 1);
            let text = || format!("{file}: entry {number} is no NAME=value (quote it: NAME='…')");
            entry.map_err(|_| CliError::failed(text()))
        };
        Ok(Self(entries.enumerate().map(read).collect::<CliResult<_>>()?))
    }

    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().or_else(|| self.0.get(name).cloned())
    }

    /// The variables of each function, in their order.
    ///
    /// # Errors
    /// Every variable of every function that has no value here.
    pub fn of(&self, functions: &[FunctionEntry]) -> CliResult<Vec<BTreeMap<String, String>>> {
        let (mut found, mut problems) = (vec![], vec![]);
        for FunctionEntry { crate_name, requires, .. } in functions {
            let variables = Variables::outside_aws(requires, |name| self.get(name));
            for name in variables.missing() {
                problems.push(format!(
                    "{crate_name}: the variable {name} isn't set (set it in the environment, or write {name}=… into .env)"
                ));
            }
            let mut values: BTreeMap<String, String> =
                variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            // That of the environment is a function's as it is.
            if std::env::var_os(LOG_LEVEL).is_none()
                && let Some(level) = self.0.get(LOG_LEVEL).or(requires.log_level.as_ref())
            {
                values.insert(LOG_LEVEL.to_owned(), level.clone());
            }
            found.push(values);
        }
        if problems.is_empty() { Ok(found) } else { Err(CliError::usage(problems.join("\n"))) }
    }
}
