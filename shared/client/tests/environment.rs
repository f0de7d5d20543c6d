//! AWS's variables in a program of one's own: one that is set to nothing is not set. A server writes down who asked what.

#![cfg(feature = "aws")]
#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
};

/// The variable that makes this binary the program whose environment is looked at.
const PROGRAM: &str = "DACAPO_TESTS_PROGRAM";

/// The variables of AWS's that the SDK reads, but those of the keys and of the region that counts here.
const NAMES: [&str; 39] = [
    "AWS_ACCOUNT_ID",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DISABLE_CLOCK_SKEW_CORRECTION",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SCHEDULER",
    "AWS_ENDPOINT_URL_SFN",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_STS",
    "AWS_EXECUTION_ENV",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LOGIN_CACHE_DIRECTORY",
    "AWS_MAX_ATTEMPTS",
    "AWS_NEW_RETRIES_2026",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SDK_UA_APP_ID",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/// The program: it asks for a run, and says what it was told.
#[tokio::test]
async fn asks_for_a_run() {
    if env::var_os(PROGRAM).is_none() {
        return;
    }
    let told = match dacapo_client::client_from_env().await {
        Ok(client) => client.state("01JD0000000000000000000000".parse().unwrap()).await.unwrap_err(),
        Err(error) => error,
    };
    #[expect(clippy::print_stdout, reason = "the test that started this process reads it")]
    {
        println!("\ntold {told}");
    }
}

/// A server that refuses everything and writes down the heads of what it was asked.
struct Recorder {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (url, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::<Mutex<Vec<String>>>::default());
        let noted = asked.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(&stream, &noted)));
        Self { url, asked }
    }

    /// The program's answer with these variables beside keys, an endpoint and a region, and the heads of its requests.
    fn told_with(&self, variables: &[(&str, &str)]) -> (String, Vec<String>) {
        let mut program = Command::new(env::current_exe().unwrap());
        program
            .args(["--exact", "asks_for_a_run", "--nocapture"])
            .env_clear()
            .env("HOME", "/nowhere")
            .env(PROGRAM, "1");
        program.env("DACAPO_APP", "shop").env("DACAPO_STAGE", "dev").env("AWS_EC2_METADATA_DISABLED", "true");
        program.env("AWS_ACCESS_KEY_ID", "AKIDFIRST").env("AWS_SECRET_ACCESS_KEY", "secret");
        program.env("AWS_DEFAULT_REGION", "eu-west-1").env("AWS_ENDPOINT_URL", &self.url);
        let output = program.envs(variables.iter().copied()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let told = said.lines().find_map(|line| line.strip_prefix("told ")).map(ToOwned::to_owned);
        let told = told.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
        (told, std::mem::take(&mut *self.asked.lock().unwrap()))
    }
}

fn answer(mut stream: &TcpStream, noted: &Mutex<Vec<String>>) {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    noted.lock().unwrap().push(head.join("\n"));
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"recorded"}"#;
    let head = "HTTP/1.1 400 Bad Request\r\nconnection: close";
    let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

#[test]
fn variable_that_is_set_to_nothing_counts_as_not_set() {
    let recorder = Recorder::new();
    for name in [&NAMES[..], &["AWS_USE_DUALSTACK_ENDPOINT", "DACAPO_LOCAL", "DACAPO_ACCOUNT"]].concat() {
        let (told, asked) = recorder.told_with(&[(name, "")]);
        assert!(told.contains("recorded"), "{name}: {told}");
        assert_eq!(asked.len(), 1, "{name}: {asked:#?}");
        assert!(
            asked[0].contains("Credential=AKIDFIRST/") && asked[0].contains("/eu-west-1/dynamodb/"),
            "{name}: {asked:#?}"
        );
        assert!(!asked[0].contains("x-amz-security-token"), "{name}: {asked:#?}");
    }
    let all: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, "")).collect();
    let (told, asked) = recorder.told_with(&all);
    assert!(told.contains("recorded") && asked.len() == 1, "all at once: {told}");
}

#[test]
fn what_is_missing_is_said_where_its_variable_is_set_to_nothing() {
    let recorder = Recorder::new();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let (told, asked) = recorder.told_with(&[(name, "")]);
        assert!(told.contains("no AWS credentials (set AWS_PROFILE") && asked.is_empty(), "{name}: {told}");
    }
    let (told, _) = recorder.told_with(&[("AWS_DEFAULT_REGION", ""), ("AWS_REGION", "")]);
    assert!(told.contains("no AWS region (set AWS_REGION, or the profile's region)"), "{told}");
    let (told, _) = recorder.told_with(&[("DACAPO_APP", "")]);
    assert!(told.contains("DACAPO_APP is not set"), "{told}");
}

#[test]
fn endpoint_of_a_service_holds_where_that_of_all_is_set_to_nothing() {
    let recorder = Recorder::new();
    let (told, asked) = recorder.told_with(&[("AWS_ENDPOINT_URL", ""), ("AWS_ENDPOINT_URL_DYNAMODB", &recorder.url)]);
    assert!(told.contains("recorded") && asked.len() == 1, "{told}");
}

#[test]
fn address_of_a_local_engine_that_is_none_is_told_with_it() {
    let recorder = Recorder::new();
    for url in ["engine", "http://", "http://[::1", "ftp://127.0.0.1:1", "http://127.0.0.1:99999", "http://a b", "::::"]
    {
        let (told, asked) = recorder.told_with(&[("DACAPO_LOCAL", url)]);
        assert!(told.contains(url) && asked.is_empty(), "{url}: {told}");
    }
}
