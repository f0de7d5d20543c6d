//! JSON merge patch (RFC 7396), on texts: what a patch doesn't name keeps every digit.

use std::collections::BTreeMap;

use crate::Json;

type Members = BTreeMap<String, Json>;

/// The patch is no JSON object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no JSON object but {0} (write an object of the members that change; `null` removes one)")]
pub struct MergeError(String);

/// The target with the members of the patch: an object is merged, `null` removes, anything else replaces. A target that
/// is no object counts as an empty one.
///
/// ```
/// use dacapo_domain::{Json, merge_patch};
///
/// let target = Json::from_text(r#"{"title":"Goodbye!","author":{"first":"John","last":"Doe"},"tags":[1.0,2]}"#)?;
/// let patch = Json::from_text(r#"{"title":"Hello!","author":{"last":null},"tags":[1.50]}"#)?;
/// let merged = merge_patch(&target, &patch)?;
/// assert_eq!(merged.text(), r#"{"author":{"first":"John"},"tags":[1.50],"title":"Hello!"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the patch is no object.
pub fn merge_patch(target: &Json, patch: &Json) -> Result<Json, MergeError> {
    match patch.parse::<Members>() {
        Ok(_) => Ok(merged(target, patch)),
        Err(_) => Err(MergeError(kind_of(patch).to_owned())),
    }
}

fn merged(target: &Json, patch: &Json) -> Json {
    let Ok(patch) = patch.parse::<Members>() else { return patch.clone() };
    let mut members: Members = target.parse().unwrap_or_default();
    for (name, value) in patch {
        if value.text() == "null" {
            members.remove(&name);
        } else {
            let value = merged(members.get(&name).unwrap_or(&Json::default()), &value);
            members.insert(name, value);
        }
    }
    Json::of(&members).unwrap_or_default()
}

fn kind_of(json: &Json) -> &'static str {
    match json.text().as_bytes().first() {
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b'n') => "null",
        Some(b't' | b'f') => "a boolean",
        Some(b'{') => "an object that can't be read",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::from_text(text).unwrap()
    }

    /// The cases of RFC 7396, appendix A, whose patch is an object.
    #[test]
    fn object_is_merged_as_the_standard_has_it() {
        for (target, patch, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            (r#"[1,2]"#, r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            assert_eq!(merge_patch(&json(target), &json(patch)).unwrap().text(), expected, "{target} {patch}");
        }
    }

    #[test]
    fn number_keeps_its_text_wherever_it_stands() {
        let merged = merge_patch(&json(r#"{"a":{"n":1.10},"b":[1e2]}"#), &json(r#"{"a":{"m":123456789012345678901}}"#));
        assert_eq!(merged.unwrap().text(), r#"{"a":{"m":123456789012345678901,"n":1.10},"b":[1e2]}"#);
    }

    #[test]
    fn patch_that_is_no_object_is_refused_by_what_it_is() {
        for (patch, what) in
            [("[1]", "a list"), ("\"x\"", "a text"), ("null", "null"), ("true", "a boolean"), ("-1", "a number")]
        {
            let error = merge_patch(&Json::default(), &json(patch)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("it is no JSON object but {what} (")), "{error}");
        }
    }

    #[test]
    fn patch_of_128_levels_is_merged() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(128), "}".repeat(128));
        assert_eq!(merge_patch(&json("{}"), &json(&deep)).unwrap().text(), deep);
    }
}
