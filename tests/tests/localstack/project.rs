//! An app of one's own, as `dacapo new` makes it, by its own `make`: deployed, run, changed and destroyed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use dacapo_tests::localstack::{Localstack, REGION, forget_the_test};

use crate::{app::App, borders::program};

/// The chapter that shows what a deploy says.
const GUIDE: &str = include_str!("../../../shared/sdk/src/guide/project.md");

/// The workspace of an app.
struct Project {
    folder: PathBuf,
    endpoint: String,
}

#[tokio::test]
async fn app_that_new_makes_is_deployed_run_changed_and_destroyed_by_its_own_make() {
    let app = App::deployed().await;
    let shop = Project::new(app.localstack);

    shop.make("deploy", "it is not there yet");
    assert_eq!(shop.greeting(), "Hello, Ada");

    let unchanged = shop.make("deploy", "nothing has changed");
    assert!(unchanged.contains("  no change\n") && !unchanged.contains("uploaded"), "{unchanged}");

    shop.replace("functions/greet/src/lib.rs", "Hello, {}", "Welcome, {}");
    let changed = shop.make("deploy", "one function has changed");
    assert_eq!(shop.greeting(), "Welcome, Ada");
    let shown = shop.as_in_the_guide(&changed);
    assert!(GUIDE.contains(&shown), "the guide's chapter `project` shows something else than:\n{shown}");

    let destroyed = shop.make("destroy", "it is there");
    assert!(destroyed.contains("removed shop-dev; "), "{destroyed}");
    let gone = shop.dacapo(&["list"]);
    assert!(gone.starts_with("error: ") && gone.contains("make deploy"), "{gone}");
}

impl Project {
    /// A new one. Cargo's lock is ours, so that all that is needed is here and mostly built; the folder is the same each
    /// time, so that the rest is built once.
    fn new(localstack: &Localstack) -> Self {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deployed");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let new = Command::new(program())
            .args(["new", "shop", "--from", &format!("path:{}", top.display())])
            .current_dir(&folder)
            .status();
        assert!(new.unwrap().success());
        fs::copy(top.join("Cargo.lock"), folder.join("shop/Cargo.lock")).unwrap();
        Self { folder: folder.join("shop"), endpoint: localstack.endpoint.clone() }
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let file = self.folder.join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// The answer of the app's task, asked for as a user does.
    fn greeting(&self) -> String {
        let said = self.dacapo(&["run", "greet", "--body", r#"{"who":"Ada"}"#, "--wait", "--json"]);
        let run: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        run["result"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    /// The command line's standard output, or its error.
    fn dacapo(&self, arguments: &[&str]) -> String {
        let output = self.at_localstack(&mut Command::new(program()), arguments).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    /// The words of a `make` that succeeds.
    fn make(&self, target: &str, why: &str) -> String {
        let started = Instant::now();
        let mut make = Command::new("make");
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        forget_the_test(&mut make)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TARGET_DIR", shared)
            .env("OUT", shared.join("tmp/deployed-out"))
            .env("PROFILE", "dev")
            .env("STAGE", "dev")
            .env("KEEP_HISTORY", "no");
        // The last two are of a `make` that runs the tests.
        let of_the_tester =
            ["APP", "ARCH", "FUNCTIONS", "RESOURCES", "PARAMETERS", "YES", "PROTECTED", "MAKEFLAGS", "MAKELEVEL"];
        for name in of_the_tester {
            make.env_remove(name);
        }
        let output = self.at_localstack(&mut make, &[target]).output().unwrap();
        let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "make {target}, where {why}: {said}{errors}");
        eprintln!("make {target}, where {why}: {:.0} s", started.elapsed().as_secs_f64());
        said.into_owned()
    }

    fn at_localstack<'a>(&self, command: &'a mut Command, arguments: &[&str]) -> &'a mut Command {
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "DACAPO_APP", "DACAPO_STAGE", "DACAPO_LOCAL"] {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
    }

    /// The words of a deploy about the stack, without what is another each time.
    fn as_in_the_guide(&self, said: &str) -> String {
        let lines = said.lines().skip_while(|line| !line.starts_with("deploying"));
        let mut shown = String::new();
        for line in lines {
            let line = line.replace(&self.endpoint, "http://127.0.0.1:4566").replace(" arm64/", " x86_64/");
            let line = match line.rsplit_once('-') {
                Some((name, _)) if line.ends_with(".zip") => format!("{name}-3f1f6d1ab2c4d5e6.zip"),
                _ => line,
            };
            shown += &(line + "\n");
        }
        shown
    }
}
