//! A history that is wrong, made as short as it can be, and told for a person.

use std::{collections::BTreeSet, fmt::Write, sync::Arc};

use dacapo_test_kit::Trace;

use super::{
    Play,
    seeds::{Wrong, play_one},
};

/// Playings that are spent on making it shorter, at most.
const TRIES: u32 = 300;

/// Tells a wrong history: the shortest part of it that is wrong, how to play it again, and what happened.
pub fn told(wrong: Wrong, test: &str, history: &impl AsyncFn(&Play) -> Vec<String>) -> String {
    let Wrong { play, what } = wrong;
    let mut text = format!("seed {}: {}\n", play.seed, what.join("\n  "));
    let steps = |play: &Play| play.most_steps.map_or("all".to_owned(), |steps| steps.to_string());
    let drawn = play.trace.faults();
    let shortest = shortest(&play, history);
    let kept = Play { trace: Trace::kept(), ..shortest.clone() };
    let what = play_one(&kept, history);
    let faults = shortest.only.as_ref().map_or(drawn as usize, |only| only.len());
    let _ =
        writeln!(text, "\nThe shortest part that was found has {} steps and {faults} of {drawn} faults.", steps(&kept));
    let _ = writeln!(text, "What happened there:\n{}\n{}", kept.trace.lines().join("\n"), what.join("\n"));
    let _ = write!(text, "\nAgain: {}", command(&shortest, test));
    text
}

/// The command that plays a history again.
fn command(play: &Play, test: &str) -> String {
    let mut command = format!("DACAPO_SEED={}", play.seed);
    if let Some(steps) = play.most_steps {
        let _ = write!(command, " DACAPO_STEPS={steps}");
    }
    if let Some(only) = &play.only {
        let numbers: Vec<String> = only.iter().map(ToString::to_string).collect();
        let _ = write!(command, " DACAPO_FAULTS={}", numbers.join(","));
    }
    format!("{command} cargo test --package dacapo-tests --no-default-features --test simulation -- --exact {test}")
}

/// The same history with the fewest steps, and then the fewest faults, that is found to be wrong still.
fn shortest(play: &Play, history: &impl AsyncFn(&Play) -> Vec<String>) -> Play {
    let mut tries = 0;
    let mut is_wrong = |play: &Play| {
        tries += 1;
        tries <= TRIES && !play_one(play, history).is_empty()
    };
    let mut best = play.anew();
    let most = best.most_steps.unwrap_or(40);
    let fewer = (1..most).map(|steps| Play { most_steps: Some(steps), ..best.anew() });
    if let Some(fewer) = fewer.into_iter().find(|play| is_wrong(play)) {
        best = fewer;
    }
    // Without any fault, else without one part of them after the other.
    let mut faults: Vec<u32> = match &best.only {
        Some(only) => only.iter().copied().collect(),
        None => (1..=play.trace.faults().max(1) * 2).collect(),
    };
    let with =
        |faults: &[u32]| Play { only: Some(Arc::new(faults.iter().copied().collect::<BTreeSet<_>>())), ..best.anew() };
    if is_wrong(&with(&[])) {
        return with(&[]);
    }
    let mut part = faults.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        while at < faults.len() {
            let without = [&faults[..at], &faults[(at + part).min(faults.len())..]].concat();
            if is_wrong(&with(&without)) {
                faults = without;
            } else {
                at += part;
            }
        }
        part = if part == 1 { 0 } else { part.div_ceil(2) };
    }
    with(&faults)
}
