//! A function's needs of the account, as a deployed function has them.

use dacapo::State;
use keeper::KEEPER;

use crate::app::{App, result};

#[tokio::test]
async fn function_has_its_variables_its_secrets_and_what_the_apps_own_resources_are_called() {
    let app = App::deployed().await;
    let names = ["BUCKET", "GREETING", "PLAIN", "PASSWORD", "BY_NAME", "API_KEY"].map(ToOwned::to_owned).to_vec();

    let id = app.client.run(KEEPER, names).await.unwrap().id();

    let record = app.ended(id).await;
    assert_eq!(record.state, State::Completed, "{:?}", record.error_message);
    let told: std::collections::BTreeMap<String, String> = result(&record);
    let told: Vec<&str> = told.values().map(String::as_str).collect();
    let bucket = format!("{}-kept", app.localstack.prefix());
    assert_eq!(told, ["key-7", &bucket, "geheim", "Grüezi mitenand", "geheim", "text"]);
}
