//! What somebody may have meant.

/// An ending for "there is no …": the name that is nearly the same, else all of them.
pub fn among(given: &str, known: &[&str]) -> String {
    let mut known = known.to_vec();
    known.sort_unstable();
    known.dedup();
    let alike = |name: &&str| strsim::jaro_winkler(&name.to_lowercase(), &given.to_lowercase());
    let near = known.iter().copied().max_by(|a, b| alike(a).total_cmp(&alike(b))).filter(|name| alike(name) > 0.8);
    match near {
        Some(name) => format!(" (did you mean {name:?}?)"),
        None if known.is_empty() => " (the app has none)".to_owned(),
        None => format!(" (there are: {})", known.join(", ")),
    }
}
