//! Questions of `dacapo doctor` to an account.

use dacapo_aws::{Inspector, Metric};

use crate::app::App;

#[tokio::test]
async fn account_tells_who_asks_what_is_deployed_and_how_much_is_in_use() {
    let app = App::deployed().await;
    let config = app.localstack.config().await;
    let inspector = Inspector::by(&app.localstack.app, &app.localstack.stage, &config).await.unwrap();

    let (account, arn) = inspector.identity().await.unwrap();
    assert!(account.len() == 12 && arn.contains(&account), "{account} {arn}");

    let stack = inspector.stack().await.unwrap().unwrap();
    assert!(stack.status.ends_with("_COMPLETE"), "{stack:?}");
    let zips = stack.parameters.iter().map(|(_, value)| value).filter(|value| value.contains("/keeper-"));
    let [zip] = &zips.collect::<Vec<_>>()[..] else { panic!("{stack:?}") };
    let digits = zip.strip_suffix(".zip").unwrap().rsplit_once('-').unwrap().1;
    let keeper = inspector.function("keeper").await.unwrap().unwrap();
    assert!(keeper.code.starts_with(digits), "{zip} {keeper:?}");
    assert_eq!(keeper.state, "Active");

    assert!(inspector.concurrency().await.unwrap().0 > 0);
    inspector.messages(&account, "undelivered").await.unwrap();
    let calls = Metric { namespace: "AWS/Lambda", name: "Invocations", of: None, statistic: "Sum", minutes: 10 };
    inspector.metric(calls).await.unwrap();
}

#[tokio::test]
async fn account_without_the_app_has_neither_its_stack_nor_its_functions() {
    let app = App::deployed().await;
    let config = app.localstack.config().await;
    let inspector = Inspector::by("nobodys", "dev", &config).await.unwrap();
    assert_eq!(inspector.stack().await.unwrap(), None);
    assert_eq!(inspector.function("keeper").await.unwrap(), None);
}
