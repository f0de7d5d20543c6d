//! The values of a deploy's parameters.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The reasons why a deploy's parameters can't be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// Parameters without a value: neither given nor with a default.
    #[error("without a value: {} (write it into {file}, as {{\"{}\": \"…\"}})", .names.join(", "), .names[0])]
    Missing {
        /// The parameters.
        names: Vec<String>,
        /// The file that gives values.
        file: String,
    },
    /// Values for what is no parameter.
    #[error("{file} gives a value to {name}, which the deploy sets itself, or is no parameter (there are {known})")]
    Unknown {
        /// The name.
        name: String,
        /// The file.
        file: String,
        /// The parameters that there are.
        known: String,
    },
}

/// The parameters of a template as `create-stack` takes them: those that the deploy itself sets, and the app's own by the
/// values of a file.
///
/// # Errors
/// All parameters without a value; or a value of the file for something that is no parameter of the app's own.
pub fn parameters(
    template: &Value,
    set: &BTreeMap<String, String>,
    file: &str,
    values: &BTreeMap<String, String>,
) -> Result<Value, ParametersError> {
    let declared = template["Parameters"].as_object().into_iter().flatten();
    let own: Vec<(&String, &Value)> = declared.filter(|(name, _)| !set.contains_key(*name)).collect();
    if let Some(name) = values.keys().find(|name| own.iter().all(|(known, _)| known != name)) {
        let known: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(ParametersError::Unknown { name: name.clone(), file: file.to_owned(), known });
    }
    let missing = own.iter().filter(|(name, about)| about.get("Default").is_none() && !values.contains_key(*name));
    let names: Vec<String> = missing.map(|(name, _)| (*name).clone()).collect();
    if !names.is_empty() {
        return Err(ParametersError::Missing { names, file: file.to_owned() });
    }
    let all = set.iter().chain(values);
    Ok(all.map(|(name, value)| json!({ "ParameterKey": name, "ParameterValue": value })).collect())
}
