//! The app as `make deploy` has put it where `AWS_ENDPOINT_URL` leads, which `make localstack-test` calls after it.

use std::time::Duration;

use dacapo::{Json, State};

#[tokio::test]
async fn task_of_the_deployed_app_completes_with_an_empty_body() -> Result<(), dacapo::Error> {
    if std::env::var_os("AWS_ENDPOINT_URL").is_none() {
        println!("skipped: AWS_ENDPOINT_URL names no LocalStack (start one with `make localstack`)");
        return Ok(());
    }
    let client = dacapo_client::client_from_env().await?;
    for (_, task) in client.manifest().await?.tasks().filter(|(_, task)| !task.private) {
        let id = client.run_by_name(&task.name, Json::default()).await?.id();
        let run = loop {
            let run = client.state(id).await?;
            if run.state.is_final() {
                break run;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        assert_eq!(run.state, State::Completed, "{run:#?}");
    }
    Ok(())
}
