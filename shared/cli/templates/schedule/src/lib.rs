//! A task that a schedule starts, each morning at six.

use app::my_name::{MY_NAME, MyNameInput};
use dacapo::prelude::*;

/// The task and its schedule.
pub fn function() -> impl Function {
    task(MY_NAME, handle).schedule(cron("0 6 * * ? *").timezone("UTC"), MyNameInput::default())
}

async fn handle(input: MyNameInput, cx: TaskContext) -> Result<u32, TaskError> {
    cx.log_info("days are covered", input.days).await?;
    Ok(input.days)
}
