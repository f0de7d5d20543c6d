//! Event handlers for tests, which leave a trace of every call: one fails as often as the event says, the others hear of
//! a task's life.

use chaos::{CHAOS, Chaos};
use dacapo::prelude::*;
use serde::{Deserialize, Serialize};
use witness::WITNESS;

/// Something that is to be handled.
pub const THING: EventRef<Thing> = EventRef::new("thing.happened");

/// The way in which it is to be handled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// Tells it from others.
    pub name: String,
    /// Deliveries that fail before one succeeds.
    pub failures: u32,
}

/// The handlers; that of the thing has three attempts a second apart.
pub fn function() -> impl Function {
    let retry = Retry::attempts(3).min(seconds(1)).max(seconds(1)).jitter(false);
    [on(THING, handle).retry(retry), on(lifecycle::started(WITNESS), hear), on(lifecycle::completed(WITNESS), hear)]
}

/// A call leaves a run that is tagged with the thing and the attempt. Each call has its own, however often it comes.
async fn handle(thing: Thing, cx: EventContext) -> Result<(), TaskError> {
    let (attempt, called) = (cx.attempt(), format!("{} {:?}", cx.id(), std::time::SystemTime::now()));
    cx.run(CHAOS, Chaos::default()).key(called).tags([thing.name, format!("attempt {attempt}")]).await?;
    if attempt <= thing.failures {
        return Err(TaskError::retryable("told to fail").code("TOLD"));
    }
    Ok(())
}

/// A call leaves a run that is tagged with the event and with the run that it is about.
async fn hear(run: RunView, cx: EventContext) -> Result<(), TaskError> {
    cx.run(CHAOS, Chaos::default()).tags([cx.name().to_owned(), run.id.to_string()]).await?;
    Ok(())
}
