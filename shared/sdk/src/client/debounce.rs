//! Debounced starts.

use std::time::Duration;

use dacapo_domain::{Debounce, Edge, When, run::Key};
use jiff::Timestamp;

use super::check::check_chars;
use crate::Error;

/// The debounce of a start, as far as it was said.
#[derive(Default)]
pub(super) struct Calls {
    /// The key, and the delay.
    pub of: Option<(String, Duration)>,
    pub max_delay: Option<Duration>,
    pub is_leading: bool,
}

/// A debounce that was checked.
pub(super) struct Checked {
    key: String,
    delay: Duration,
    max_delay: Option<Duration>,
    edge: Edge,
}

impl Calls {
    /// Checks what was said beside a key or a time of the run; `None` where it is not debounced.
    pub(super) fn check(self, has_key: bool, has_time: bool) -> Result<Option<Checked>, Error> {
        let Self { of, max_delay, is_leading } = self;
        let Some((key, delay)) = of else {
            let beside = max_delay.map(|_| "max_delay").or(is_leading.then_some("leading"));
            return match beside {
                Some(beside) => Err(Error::usage(format_args!("start a run with `{beside}`: it has no `debounce`"))),
                None => Ok(None),
            };
        };
        let beside = has_key.then_some("key").or(has_time.then_some("at"));
        if let Some(beside) = beside {
            let text = format!("debounce a run that has `{beside}`: the debounce has its own (leave one of them out)");
            return Err(Error::usage(text));
        }
        check_chars("the key of a debounce", Some(&key))?;
        Debounce::check(delay, max_delay).map_err(Error::usage)?;
        let edge = if is_leading { Edge::Leading } else { Edge::Trailing };
        Ok(Some(Checked { key, delay, max_delay, edge }))
    }
}

impl Checked {
    /// The key and the due time of the run, where this is the first call.
    pub(super) fn first(self, now: Timestamp) -> Result<(Key, Timestamp), Error> {
        let after = |delay: Duration| When::from(delay).resolve(now).map_err(Error::usage);
        let (until, latest) = (after(self.delay)?, self.max_delay.map(after).transpose()?);
        let due_at = if self.edge == Edge::Leading { now } else { until };
        let debounce = Some(Debounce { edge: self.edge, latest, last_call: None });
        Ok((Key { text: self.key, until, debounce }, due_at))
    }
}
