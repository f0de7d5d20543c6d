//! A task for tests: it needs variables, secrets and a bucket of its own, which are in `tests/lambdas/resources.yaml`.

use std::collections::BTreeMap;

use dacapo::prelude::*;

/// The task: it tells the values of these variables.
pub const KEEPER: TaskRef<Vec<String>, BTreeMap<String, String>> = TaskRef::new("keeper");

/// The task.
pub fn function() -> impl Function {
    task(KEEPER, keeper)
        .allow("s3:PutObject", "${Kept.Arn}/*")
        .environment("BUCKET", "${Kept}")
        .environment("GREETING", "${Greeting}")
        .environment("PLAIN", "text")
        .secret("PASSWORD", "${Password}")
        .secret("BY_NAME", "sample-test-password")
        .secret("API_KEY", ssm("/sample-test/api-key"))
        .ephemeral_storage(1_024)
}

async fn keeper(names: Vec<String>, cx: TaskContext) -> Result<BTreeMap<String, String>, TaskError> {
    let value = |name: String| -> Result<(String, String), TaskError> {
        let value = cx.variable(&name)?.to_owned();
        Ok((name, value))
    };
    names.into_iter().map(value).collect()
}
