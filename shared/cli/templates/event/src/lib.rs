//! A handler of an event. A function may have several: return `[on(…), on(…)]`.

use app::my_name::{MY_NAME, MyNameBody};
use dacapo::prelude::*;

/// The handler; what it gives up is kept as a dead letter.
pub fn function() -> impl Function {
    [on(MY_NAME, handle).dead_letter()]
}

async fn handle(body: MyNameBody, _: EventContext) -> Result<(), TaskError> {
    if body.who.len() > 100 {
        return Err(TaskError::terminal("nobody has so long a name"));
    }
    // Here is the place to start a task: `cx.run(TASK, input).await?`.
    Ok(())
}
