//! Histories by seed: what the simulations have in common.
//!
//! `make simulate SEEDS=4000` goes further than `make test`; `DACAPO_SEED=17` repeats one history, `DACAPO_STEPS` and
//! `DACAPO_FAULTS` a part of it.

mod play;
mod seeds;
mod shrink;
pub mod watch;

use std::{
    any::type_name_of_val,
    hash::{DefaultHasher, Hash, Hasher},
    time::Instant,
};

pub use play::Play;
pub use seeds::play_one;
use seeds::{Wrong, chosen, play_all};

/// A number that depends on what it is asked about and on nothing else: handlers fail by it, not by chance.
pub fn dice(about: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    about.hash(&mut hasher);
    hasher.finish()
}

/// Lets histories happen on all cores, of so many seeds unless the environment says otherwise, each of which says what is
/// wrong with it. The first that is wrong is made as short as it can be, and told.
///
/// The test is found again by the place of `history`, so that it is a closure of the test itself.
///
/// # Panics
/// If something is wrong.
pub fn all_are_right(seeds: u64, history: impl AsyncFn(&Play) -> Vec<String> + Sync) {
    let (plays, began) = (chosen(seeds), Instant::now());
    let count = plays.len();
    let (sums, wrong) = play_all(plays, &history);
    let took = began.elapsed();
    let speed = sums.histories as f64 / took.as_secs_f64();
    let test = test_of(&history);
    eprintln!(
        "{test}: {} histories in {took:.1?} ({speed:.1} a second), {} calls, {} faults",
        sums.histories, sums.calls, sums.faults
    );
    if let Some(wrong) = wrong {
        eprintln!("seed {} is wrong, and is made shorter: {}", wrong.play.seed, wrong.what.join("\n  "));
        panic!("of {count} histories, the first that is wrong:\n{}", shrink::told(wrong, test, &history));
    }
}

/// The first of so many seeds with which a history is wrong: what is wrong, and how many seeds that took.
pub fn first_wrong(
    play: &Play,
    seeds: u64,
    history: impl AsyncFn(&Play) -> Vec<String> + Sync,
) -> Option<(u64, Vec<String>)> {
    let plays = (0..seeds).map(|seed| Play { seed, ..play.anew() }).collect();
    let (_, wrong) = play_all(plays, &history);
    wrong.map(|Wrong { play, what }| (play.seed + 1, what))
}

/// The test that a history is a closure of, as the test binary names it.
fn test_of(history: &impl Sized) -> &str {
    let path = type_name_of_val(history);
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    path.split("::{{").next().unwrap_or(path)
}
