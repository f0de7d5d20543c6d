//! A task: it greets, until you write what it is for.

use app::my_name::{MY_NAME, MyNameInput};
use dacapo::prelude::*;

/// The task.
pub fn function() -> impl Function {
    task(MY_NAME, handle).timeout(minutes(1))
}

async fn handle(input: MyNameInput, cx: TaskContext) -> Result<String, TaskError> {
    // A step's value is stored: a retry gets it, and the work isn't done twice.
    let greeting = cx
        .step("write", async || Ok(format!("Hello, {}", input.who)))
        .await?;
    cx.log_info("greeted", &greeting).await?;
    Ok(greeting)
}
