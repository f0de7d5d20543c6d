//! Many histories at once: each core plays one after the other.

use std::{
    cell::Cell,
    env,
    num::NonZero,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::Play;

thread_local! {
    /// Is true where a history is played: its handlers panic on purpose.
    static PLAYS: Cell<bool> = const { Cell::new(false) };
}

/// A history that is wrong.
pub struct Wrong {
    pub play: Play,
    pub what: Vec<String>,
}

/// The sums over all histories.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    pub histories: u64,
    pub calls: u64,
    pub faults: u64,
}

/// The playings that the environment asks for, or so many.
pub fn chosen(seeds: u64) -> Vec<Play> {
    let text = |name| env::var(name).ok();
    let number = |name| text(name).map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("DACAPO_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("DACAPO_SEEDS").unwrap_or(seeds),
    };
    let only = text("DACAPO_FAULTS").map(|text| {
        let numbers = text.split(',').filter(|number| !number.is_empty());
        Arc::new(numbers.map(|number| number.parse().expect("numbers of faults")).collect())
    });
    let most_steps = number("DACAPO_STEPS").map(|steps| steps.try_into().expect("a number of steps"));
    seeds.map(|seed| Play { seed, most_steps, only: only.clone(), ..Play::default() }).collect()
}

/// Plays histories until one is wrong: gives the first that is.
pub fn play_all(plays: Vec<Play>, history: &(impl AsyncFn(&Play) -> Vec<String> + Sync)) -> (Sums, Option<Wrong>) {
    let (next, done) = (AtomicUsize::new(0), Mutex::new((Sums::default(), None::<(usize, Wrong)>)));
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(plays.len());
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(play) = plays.get(place) else { return };
            let what = play_one(play, history);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            let (sums, wrong) = &mut *done;
            sums.histories += 1;
            sums.calls += u64::from(play.trace.calls());
            sums.faults += u64::from(play.trace.faults());
            if !what.is_empty() {
                next.fetch_max(plays.len(), Ordering::Relaxed); // Those that are being played are played to their end.
                if wrong.as_ref().is_none_or(|(first, _)| place < *first) {
                    *wrong = Some((place, Wrong { play: play.clone(), what }));
                }
            }
        }
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let (sums, wrong) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    (sums, wrong.map(|(_, wrong)| wrong))
}

/// Plays one history under a paused clock of its own, and says what is wrong with it: a panic of its own too.
pub fn play_one(play: &Play, history: &impl AsyncFn(&Play) -> Vec<String>) -> Vec<String> {
    silence_handlers();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
    PLAYS.set(true);
    let played = panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(history(play))));
    PLAYS.set(false);
    let mut wrong = played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        vec![format!("the history panicked: {}", text.unwrap_or_default())]
    });
    wrong.extend(play.trace.breaches());
    wrong
}

fn silence_handlers() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !PLAYS.get() {
                others(info);
            }
        }));
    });
}
