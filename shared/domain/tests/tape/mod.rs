//! Tapes: a record gets an input, and the whole decision is compared with what was expected, nothing left over.
//!
//! ```ignore
//! tape("a due message takes the attempt", &queued()).at(5).gets(&Input::Delivered(purpose), task)
//!     .stores(|next| next.phase = running(5))
//!     .then(Work::CallHandler)
//! ```

use std::{collections::BTreeSet, fmt::Debug, time::Duration};

use dacapo_domain::{Change, Decision, DecisionContext, Effect, Json, Machine, Released, Version, Work};
use jiff::Timestamp;

/// The random number of every decision on a tape, and so the version that it leaves.
pub const RANDOM: u64 = 0xdec1de;

/// A moment: so many seconds after noon of 1 March 2026.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_366_400 + seconds).unwrap()
}

pub fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn json(text: &str) -> Json {
    Json::from_text(text).unwrap()
}

/// A decision that is no case: it drives a record to where a case begins, and leaves a version of its own.
pub fn driven<M: Machine>(record: &M, seconds: i64, input: &M::Input, policy: M::Policy<'_>) -> M {
    record.decide(input, policy, &context(seconds)).record
}

/// The context of what happens before a case.
pub fn context(seconds: i64) -> DecisionContext {
    DecisionContext { now: at(seconds), random: 1_000_000 + seconds.unsigned_abs() }
}

/// A kind of record that has a table.
pub trait Taped: Machine + Debug + PartialEq {
    fn set_version(&mut self, version: Version);
    fn phase_name(&self) -> String;
    fn input_name(input: &Self::Input) -> String;
}

/// One case: a cell of the table under one circumstance.
pub struct Case<M: Taped> {
    name: &'static str,
    given: M,
    input: String,
    actual: Decision<M>,
    expected: Decision<M>,
}

pub struct Tape<M> {
    name: &'static str,
    given: M,
    now: Timestamp,
}

/// A case without its expectation.
pub struct Played<M: Taped>(Case<M>);

pub fn tape<M: Taped>(name: &'static str, given: &M) -> Tape<M> {
    Tape { name, given: given.clone(), now: at(0) }
}

impl<M: Taped> Tape<M> {
    pub fn at(self, seconds: i64) -> Self {
        Self { now: at(seconds), ..self }
    }

    pub fn gets(self, input: &M::Input, policy: M::Policy<'_>) -> Played<M> {
        let actual = self.given.decide(input, policy, &DecisionContext { now: self.now, random: RANDOM });
        let (input, expected) = (M::input_name(input), Decision::keep(&self.given, vec![]));
        Played(Case { name: self.name, given: self.given, input, actual, expected })
    }
}

impl<M: Taped> Played<M> {
    /// The record stays as it is.
    pub fn keeps(self) -> Case<M> {
        self.0
    }

    /// The record is stored in a version of its own, and changed in this way alone.
    pub fn stores(self, change: impl FnOnce(&mut M)) -> Case<M> {
        let mut next = self.0.given.clone();
        next.set_version(Version(RANDOM));
        change(&mut next);
        Case { expected: Decision::store(next, vec![]), ..self.0 }
    }

    pub fn deletes(self) -> Case<M> {
        let expected = Decision::delete(&self.0.given, vec![]);
        Case { expected, ..self.0 }
    }
}

impl<M: Taped> Case<M> {
    pub fn then(mut self, work: Work) -> Self {
        self.expected.work = Some(work);
        self
    }

    /// The next effect, made from the record as it is stored.
    pub fn effect(mut self, effect: impl FnOnce(&M) -> Effect) -> Self {
        self.expected.effects.push(effect(&self.expected.record));
        self
    }

    pub fn with(mut self, slot: &'static str, value: Json) -> Self {
        self.expected.payloads = self.expected.payloads.with(slot, value);
        self
    }

    /// The permits of an attempt are given back.
    pub fn gives_back(mut self, released: Released) -> Self {
        self.expected.released = Some(released);
        self
    }

    /// Payloads and log beside the record expire then.
    pub fn moves_expiry(mut self, expiry_beside_s: i64) -> Self {
        self.expected.expiry_beside_s = Some(expiry_beside_s);
        self
    }

    fn cell(&self) -> (String, String) {
        (self.given.phase_name(), self.input.clone())
    }
}

/// Compares every decision with what was expected of it.
pub fn play<M: Taped>(cases: Vec<Case<M>>) {
    for Case { name, given, input, actual, expected } in cases {
        assert_eq!(actual, expected, "{name}: {} gets {input}", given.phase_name());
    }
}

/// Names are said once, and each cell that does something has a case that changes or sends something.
pub fn covers<M: Taped>(cases: &[Case<M>], cells: impl IntoIterator<Item = (String, String)>) {
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let does = |case: &&Case<M>| case.expected != Decision::keep(&case.given, vec![]);
    let covered: BTreeSet<_> = cases.iter().filter(does).map(Case::cell).collect();
    let missing: Vec<_> = cells.into_iter().filter(|cell| !covered.contains(cell)).collect();
    assert!(missing.is_empty(), "cells without a case: {missing:?}");
}

/// Every arrow of the diagram is walked by a case, and no case walks where there is none.
pub fn walks<M: Taped>(cases: &[Case<M>], diagram: &str) {
    let mut drawn = BTreeSet::new();
    for line in diagram.lines() {
        let Some((arrow, inputs)) = line.trim().split_once(": ") else { continue };
        let (from, to) = arrow.split_once(" --> ").unwrap();
        drawn.extend(inputs.split(", ").map(|input| (from.to_owned(), to.to_owned(), input.to_owned())));
    }
    let does = |case: &&Case<M>| {
        let Decision { change, work, effects, .. } = &case.expected;
        *change != Change::Keep || work.is_some() || !effects.is_empty()
    };
    let walked = cases.iter().filter(does).map(|case| {
        let gone = case.expected.change == Change::Delete;
        let to = if gone { "[*]".to_owned() } else { case.expected.record.phase_name() };
        (case.given.phase_name(), to, case.input.clone())
    });
    let walked: BTreeSet<_> = walked.collect();
    let unwalked: Vec<_> = drawn.difference(&walked).collect();
    assert!(unwalked.is_empty(), "arrows that no case walks: {unwalked:?}");
    let undrawn: Vec<_> = walked.difference(&drawn).collect();
    assert!(undrawn.is_empty(), "cases without an arrow: {undrawn:?}");
}

/// An ignored cell changes nothing, and says why in a sentence.
pub fn ignores<M: Taped>(record: &M, input: &M::Input, policy: M::Policy<'_>, reason: &str) {
    let words = reason.split(' ').count();
    let name = M::input_name(input);
    assert!(words >= 3 && !reason.ends_with('.'), "{} ignores {name}: {reason:?}", record.phase_name());
    let decision = record.decide(input, policy, &DecisionContext { now: at(100_000), random: RANDOM });
    assert_eq!(decision, Decision::keep(record, vec![]), "{} gets {name}", record.phase_name());
}
