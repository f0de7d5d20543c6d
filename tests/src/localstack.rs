//! A LocalStack with the sample app and the functions of `tests/lambdas` deployed, for all tests of a run.
//!
//! The first test that asks starts it: LocalStack on a free port (or the one that `AWS_ENDPOINT_URL` names), the app
//! built and deployed by the program that users have, the schedule firer. It is a process of its own,
//! `dacapo-localstack share`, so that it serves the threads of `cargo test` and the processes of nextest alike. Each
//! test process holds a lock; when no process holds it any more, however they ended, LocalStack goes too.

mod deploy;
mod server;
mod share;

use std::{
    env,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use serde::{Deserialize, Serialize};

pub use deploy::{build, forget_the_test, infra};
pub use server::Server;
pub use share::share;

use crate::schedule_firer::FirerClock;

/// The address of LocalStack, and what is deployed there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Localstack {
    /// As `http://127.0.0.1:4566`.
    pub endpoint: String,
    /// The app's name.
    pub app: String,
    /// The stage's name.
    pub stage: String,
}

/// The emulator of AWS that tests share, as `DACAPO_TESTS_EMULATOR` says. Nothing but the harness knows which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// LocalStack, whose schedules the tests' own schedule firer fires: `localstack`, or nothing.
    LocalStack,
    /// MiniStack, which fires its schedules by itself, and leaves their placeholders as they are: `ministack`.
    MiniStack,
}

impl Emulator {
    /// The one that the environment names.
    ///
    /// # Panics
    /// If it names another.
    #[must_use]
    pub fn chosen() -> Self {
        match env::var("DACAPO_TESTS_EMULATOR").as_deref() {
            Ok("ministack") => Self::MiniStack,
            Ok("localstack" | "") | Err(_) => Self::LocalStack,
            Ok(other) => panic!("DACAPO_TESTS_EMULATOR={other} is neither localstack nor ministack"),
        }
    }

    /// The program that starts it, beside those of `tests/localstack`.
    const fn program(self) -> &'static str {
        match self {
            Self::LocalStack => "run",
            Self::MiniStack => "ministack",
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::LocalStack => "localstack-tests",
            Self::MiniStack => "ministack-tests",
        }
    }
}

/// The name of the app.
const APP: &str = "sample";
/// The region of everything.
pub const REGION: &str = "eu-west-1";

impl Localstack {
    /// The LocalStack of this run. The program is `env!("CARGO_BIN_EXE_dacapo-localstack")`, which only integration
    /// tests know.
    ///
    /// # Panics
    /// If it can't be started or deployed to: with the end of its log.
    pub fn shared(program: &str) -> &'static Self {
        static SHARED: OnceLock<Result<(Localstack, share::User), String>> = OnceLock::new();
        match SHARED.get_or_init(|| share::join(program).map_err(|error| error.to_string())) {
            Ok((localstack, _)) => localstack,
            Err(problem) => panic!("there is no LocalStack: {problem}"),
        }
    }

    /// The beginning of all names on AWS.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}-{}", self.app, self.stage)
    }

    /// The settings of AWS's clients.
    pub async fn config(&self) -> SdkConfig {
        config(&self.endpoint).await
    }

    /// A lock among all test processes, held until the file is dropped.
    ///
    /// # Errors
    /// If its file can't be made.
    pub fn lock(&self, name: &str) -> io::Result<File> {
        let file = share::lock_file(name)?;
        file.lock()?;
        Ok(file)
    }

    /// The clock that fires its schedules.
    #[must_use]
    pub fn clock(&self) -> FirerClock {
        clock()
    }
}

/// A machine that has other things to do connects and answers slowly.
const CONNECTS_WITHIN: Duration = Duration::from_secs(30);
/// An answer that takes longer is lost.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
/// Tries of one call, the first included.
const TRIES: u32 = 5;

/// The settings for clients of an endpoint that takes any credentials.
pub async fn config(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .credentials_provider(Credentials::from_keys("test", "test", None))
        .region(Region::from_static(REGION))
        .endpoint_url(endpoint)
        .http_client(dacapo_aws::http_client())
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(CONNECTS_WITHIN).operation_attempt_timeout(ANSWERS_WITHIN).build(),
        )
        .load()
        .await
}

fn clock() -> FirerClock {
    FirerClock::moved_by(folder().join("clock"))
}

/// The top of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("/"))
}

/// The folder in which all of this is kept between two runs.
fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(target).join(Emulator::chosen().folder())
}

fn failed(text: String) -> io::Error {
    io::Error::other(text)
}
