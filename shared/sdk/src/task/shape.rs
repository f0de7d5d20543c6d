//! The limits of a task's load: how many of its attempts execute at once, and how many start in a time.

use std::{
    any::TypeId,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use dacapo_core::attempt::panic_text;
use dacapo_domain::{Limit, Limits, Rate, limits};

use super::Task;

/// The length of a window, for a rate: `per(minutes(1))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Per(Duration);

/// The window of a rate limit: 1 second to 31 days.
#[must_use]
pub const fn per(window: Duration) -> Per {
    Per(window)
}

/// The closure that gives the key of a body.
pub(super) struct LimitKey<I> {
    key: Box<dyn Fn(&I) -> String + Send + Sync>,
    /// The function, to tell whether two limits have the same.
    functions: Vec<TypeId>,
}

impl<I> LimitKey<I> {
    /// The key of a body.
    ///
    /// # Errors
    /// A key of no characters, or of too many, and a function that panics: the body can't give one.
    pub(super) fn of(&self, body: &I) -> Result<String, String> {
        let key = catch_unwind(AssertUnwindSafe(|| (self.key)(body)))
            .map_err(|panic| format!("the body gives no key to limit the task by: {}", panic_text(&*panic)))?;
        let (chars, allowed) = (key.chars().count(), limits::KEY_CHARS);
        if (1..=allowed).contains(&chars) {
            return Ok(key);
        }
        Err(format!("the body gives a key of {chars} characters to limit the task by (allowed: 1 to {allowed})"))
    }
}

impl<I, O, V, N> Task<I, O, V, N> {
    /// The number of attempts that execute at once, at most: 1 to 1,000, first runs and later iterations together. A run that
    /// finds no place waits as `submitted`: no function runs meanwhile, and no attempt is counted. Those that have been due
    /// for longest come first. A run that waits between two iterations, or for another attempt, holds no place.
    ///
    /// It costs two writes a run, and two more where it waits for a place.
    pub fn concurrency(mut self, most: u32) -> Self {
        self.policy.limits.total.concurrency = Some(most);
        self
    }

    /// The number of attempts that execute at once for each key, at most: 1 to 1,000. The key is a part of the body, such as
    /// `|invoice: &Invoice| &invoice.customer`, of 1 to 256 characters as text. Beside [`concurrency`](Self::concurrency)
    /// both hold, and the keys are fair to each other: each has as many runs in the line of all as it has places.
    pub fn concurrency_per_key<K: ToString + ?Sized>(
        mut self,
        most: u32,
        key: impl for<'a> Fn(&'a I) -> &'a K + Send + Sync + 'static,
    ) -> Self {
        self.policy.limits.per_key.concurrency = Some(most);
        self.keyed(key)
    }

    /// The number of attempts that start in any window of a length, at most: `.rate_limit(100, per(minutes(1)))`. What is
    /// over waits as `submitted` and starts in order, spread over the window, to the second.
    pub fn rate_limit(mut self, starts: u32, per: Per) -> Self {
        self.policy.limits.total.rate = Some(Rate { starts, per: per.0 });
        self
    }

    /// The same for each key, as [`concurrency_per_key`](Self::concurrency_per_key) has it. Beside that one, both are given
    /// the same named function.
    pub fn rate_limit_per_key<K: ToString + ?Sized>(
        mut self,
        starts: u32,
        per: Per,
        key: impl for<'a> Fn(&'a I) -> &'a K + Send + Sync + 'static,
    ) -> Self {
        self.policy.limits.per_key.rate = Some(Rate { starts, per: per.0 });
        self.keyed(key)
    }

    /// The queue whose tasks share their limits: each says the same ones. 1 to 64 characters of a-z, A-Z, 0-9, - and _.
    pub fn queue(mut self, name: &str) -> Self {
        self.policy.limits.queue = Some(name.to_owned());
        self
    }

    fn keyed<K: ToString + ?Sized, F: for<'a> Fn(&'a I) -> &'a K + Send + Sync + 'static>(mut self, key: F) -> Self {
        let mut functions = self.limit_key.take().map(|former| former.functions).unwrap_or_default();
        functions.push(TypeId::of::<F>());
        self.limit_key = Some(LimitKey { key: Box::new(move |body| key(body).to_string()), functions });
        self
    }
}

/// Everything that is wrong with the limits.
pub(super) fn problems<I, O, V, N>(task: &Task<I, O, V, N>) -> Vec<String> {
    let Limits { queue, total, per_key } = &task.policy.limits;
    let mut problems = of_limit(total, "concurrency", "rate_limit");
    problems.extend(of_limit(per_key, "concurrency_per_key", "rate_limit_per_key"));
    problems.extend(queue.as_ref().and_then(|queue| Limits::check_queue(queue).err()).map(|error| error.to_string()));
    let functions = task.limit_key.iter().flat_map(|key| &key.functions);
    if functions.clone().any(|function| Some(function) != functions.clone().next()) {
        problems.push(
            "concurrency_per_key and rate_limit_per_key with two keys (give both the same named function)".to_owned(),
        );
    }
    problems
}

fn of_limit(limit: &Limit, concurrency: &str, rate: &str) -> Vec<String> {
    let mut problems = vec![];
    if let Some(most) = limit.concurrency.filter(|most| !(1..=limits::MAX_CONCURRENCY).contains(most)) {
        problems.push(format!("{concurrency} of {most} (allowed: 1 to {})", limits::MAX_CONCURRENCY));
    }
    if let Some(limit) = limit.rate {
        if limit.starts == 0 {
            problems.push(format!("{rate} of 0 starts (allowed: 1 and more)"));
        }
        if !limits::RATE_PER.contains(&limit.per) {
            problems.push(format!("{rate} per {:?} (allowed: 1 s to 31 days)", limit.per));
        }
    }
    problems
}
