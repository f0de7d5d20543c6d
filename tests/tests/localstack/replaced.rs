//! Code that is replaced while runs wait.

use std::{path::PathBuf, process::Command};

use dacapo::State;
use witness::{Rounds, Seen, WITNESS};

use crate::app::{App, result};

#[tokio::test]
async fn run_that_waits_while_the_code_of_its_function_is_replaced_goes_on_with_the_new_code() {
    let app = App::deployed().await;
    let _witness = app.localstack.lock("witness").unwrap();
    // An earlier test may have left the other one.
    app.deploy_witness("witness").await;
    // It waits long enough for the code to be replaced on a busy machine.
    let rounds = Rounds { more: 1, pause_s: 30, ..Rounds::default() };
    let id = app.client.run(WITNESS, rounds).await.unwrap().id();
    app.is(id, State::Waiting).await;

    app.deploy_witness("witness-next").await;
    let waiting = app.client.state(id).await.unwrap();
    assert_eq!((waiting.state, waiting.iteration), (State::Waiting, 2), "it waited too short: {waiting:#?}");

    let record = app.ended(id).await;
    assert_eq!(result::<Seen>(&record).builds, ["first", "next"]);
    assert_eq!((record.iteration, record.attempt), (2, 1), "{record:#?}");
}

impl App {
    /// Gives the function a build of its code: the program that cargo has built of this name.
    async fn deploy_witness(&self, program: &str) {
        let built = PathBuf::from(env!("CARGO_BIN_EXE_dacapo-localstack")).with_file_name(program);
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(built, folder.path().join("bootstrap")).unwrap();
        let python = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("localstack/python313");
        let zip = Command::new(python)
            .args(["-m", "zipfile", "-c", "function.zip", "bootstrap"])
            .current_dir(folder.path())
            .status();
        assert!(zip.unwrap().success(), "{program} can't be packed");
        let zip = std::fs::read(folder.path().join("function.zip")).unwrap();
        self.lambda.set_code(&format!("{}-witness", self.localstack.prefix()), &zip).await.unwrap();
    }
}
