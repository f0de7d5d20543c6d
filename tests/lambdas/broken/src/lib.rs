//! A task for tests, which is described and deployed like any other, and whose binary then can't start.

use dacapo::prelude::*;

/// Never reached.
pub const BROKEN: TaskRef<()> = TaskRef::new("broken");

/// Two attempts, a second apart.
pub fn function() -> impl Function {
    let retry = Retry::attempts(2).min(seconds(1)).max(seconds(1)).jitter(false);
    task(BROKEN, async |(): (), _: TaskContext| Ok(())).retry(retry)
}
