//! Names of schedules: at most 64 of `0-9 A-Z a-z - _ .`.

use crate::records::fnv1a;

/// Characters of a schedule's name, at most.
const LENGTH: usize = 64;
/// Characters of a hash in hexadecimal, and the hyphen before it.
const TAIL: usize = 17;

/// The name itself where the service takes it, else its beginning and a hash of it.
pub(crate) fn plain(name: &str) -> String {
    let fits = !name.is_empty() && name.len() <= LENGTH && name.chars().all(is_allowed);
    if fits { name.to_owned() } else { hashed(name) }
}

/// A name that ends in a hash of the given one, so that no two are taken for one: `tenant-7-9f1c…`.
pub(crate) fn hashed(name: &str) -> String {
    let kept: String = name.chars().map(|c| if is_allowed(c) { c } else { '-' }).take(LENGTH - TAIL).collect();
    format!("{kept}-{:016x}", fnv1a(name))
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedule_name_that_fits_is_kept() {
        assert_eq!(plain("run-01JD0000000000000000000000-0-1"), "run-01JD0000000000000000000000-0-1");
    }

    #[test]
    fn schedule_name_that_does_not_fit_is_cut_and_ends_in_its_hash() {
        let long = plain(&"a".repeat(65));
        assert_eq!(long.len(), LENGTH);
        assert_ne!(long, plain(&"a".repeat(66)));
        assert_eq!(
            plain("event-01JD/send welcome"),
            format!("event-01JD-send-welcome-{:016x}", fnv1a("event-01JD/send welcome"))
        );
        assert_eq!(plain(&"ü".repeat(64)).len(), LENGTH);
    }

    #[test]
    fn schedule_names_that_look_alike_are_told_apart_by_their_hashes() {
        assert_ne!(hashed("tenant 7"), hashed("tenant-7"));
    }
}
