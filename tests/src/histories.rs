//! Histories by seed: what the simulations have in common.
//!
//! `make simulate SEEDS=5000` goes further than `make test`; `DACAPO_SEED=17` repeats one history.

use std::{
    env,
    hash::{DefaultHasher, Hash, Hasher},
    panic,
};

/// Failures that are collected before the rest is left.
const ENOUGH: usize = 10;

/// A number that depends on what it is asked about and on nothing else: handlers fail by it, not by chance.
pub fn dice(about: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    about.hash(&mut hasher);
    hasher.finish()
}

/// Lets histories happen, of so many seeds unless the environment says otherwise, each of which says what is wrong with
/// it.
///
/// # Panics
/// If something is.
pub async fn all_are_right(seeds: u64, history: impl AsyncFn(u64) -> Vec<String>) {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = number("DACAPO_SEED").map_or(0..number("DACAPO_SEEDS").unwrap_or(seeds), |seed| seed..seed + 1);
    let count = seeds.end - seeds.start;
    let mut broken = vec![];
    panic::set_hook(Box::new(|_| {})); // Handlers panic on purpose.
    for seed in seeds {
        broken.extend(history(seed).await.into_iter().map(|what| format!("seed {seed}: {what}")));
        if broken.len() > ENOUGH {
            break;
        }
    }
    let _ = panic::take_hook();
    assert!(broken.is_empty(), "of {count} histories:\n{}", broken.join("\n"));
}
