//! The variables of functions on this machine: from the environment, from `.env`, and from the functions themselves.

use std::{collections::BTreeMap, path::Path};

use dacapo_core::Variables;
use dacapo_domain::FunctionEntry;

use crate::failure::{CliError, CliResult};

/// The variable by which a function's process is told what to log.
const LOG_LEVEL: &str = "RUST_LOG";

/// What this machine gives functions: the environment's variables, then those of the file `.env` at the workspace's top.
pub struct Given(BTreeMap<String, String>);

impl Given {
    /// Reads `.env`, where there is one.
    ///
    /// # Errors
    /// If the file can't be read, or a line of it is none.
    pub fn read(root: &Path) -> CliResult<Self> {
        let file = root.join(".env");
        let failed = |error| CliError::failed(format!("failed to read {}: {error}", file.display()));
        if !file.is_file() {
            return Ok(Self(BTreeMap::new()));
        }
        let lines = dotenvy::from_path_iter(&file).map_err(failed)?;
        Ok(Self(lines.collect::<Result<_, _>>().map_err(failed)?))
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
            for name in variables.missing(requires) {
                problems.push(format!(
                    "{crate_name}: the variable {name} isn't set (set it in the environment, or write {name}=… into .env)"
                ));
            }
            let mut values: BTreeMap<String, String> =
                variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            if let Some(level) = requires.log_level.clone().filter(|_| self.get(LOG_LEVEL).is_none()) {
                values.insert(LOG_LEVEL.to_owned(), level);
            }
            found.push(values);
        }
        if problems.is_empty() { Ok(found) } else { Err(CliError::usage(problems.join("\n"))) }
    }
}
