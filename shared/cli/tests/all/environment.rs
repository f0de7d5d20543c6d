//! AWS's variables and profiles, read as its other tools read them: a server writes down who asked what.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use super::dacapo::{Call, call};

const ID: &str = "01JD0000000000000000000000";

/// A request's headers and target, as far as tests ask for them.
#[derive(Clone, Debug, Default)]
struct Asked {
    target: String,
    authorization: String,
    token: String,
}

/// A server that refuses everything and writes down what it was asked.
struct Recorder {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Recorder {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let noted = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let noted = noted.clone();
                std::thread::spawn(move || answer(&stream, &noted));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn answer(mut stream: &TcpStream, noted: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut asked, mut bytes, mut is_request) = (Asked::default(), 0, false);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim_end().is_empty() {
                    break;
                }
                is_request = true;
                continue;
            };
            let value = value.to_owned();
            match &*name.to_lowercase() {
                "content-length" => bytes = value.parse().unwrap(),
                "x-amz-target" => asked.target = value,
                "authorization" => asked.authorization = value,
                "x-amz-security-token" => asked.token = value,
                _ => {}
            }
        }
        if !is_request || reader.read_exact(&mut vec![0; bytes]).is_err() {
            return;
        }
        noted.lock().unwrap().push(asked);
        let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"recorded"}"#;
        let status = "500 Internal Server Error";
        let length = body.len();
        if write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").is_err() {
            return;
        }
    }
}

/// Asks for a run, with keys and a region.
fn asks(more: &str) -> Call {
    call(&format!("state {ID} --app shop {more}"))
        .env("AWS_ACCESS_KEY_ID", "AKIDFIRST")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_MAX_ATTEMPTS", "1")
}

/// A file of this test's own.
fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("dacapo-{}-{name}", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn endpoint_of_a_service_comes_before_that_of_all_and_a_flag_before_both() {
    let (own, all, flag) = (Recorder::new(), Recorder::new(), Recorder::new());
    let with_both =
        |more: &str| asks(more).env("AWS_ENDPOINT_URL_DYNAMODB", &own.url).env("AWS_ENDPOINT_URL", &all.url);
    let said = with_both("").said();
    assert_eq!((own.asked().len(), all.asked().len()), (1, 0), "{said}");
    assert!(said.err.contains(&own.url), "the endpoint that was asked is named: {said}");

    let said = asks("").env("AWS_ENDPOINT_URL", &all.url).env("AWS_ENDPOINT_URL_SQS", &own.url).said();
    assert_eq!((own.asked().len(), all.asked().len()), (0, 1), "{said}");
    assert_eq!(said.code, 1, "{said}");

    with_both(&format!("--endpoint-url {}", flag.url)).said();
    assert_eq!((own.asked().len(), all.asked().len(), flag.asked().len()), (0, 0, 1));
}

#[test]
fn endpoints_of_a_profile_are_asked_unless_they_are_ignored() {
    let (service, all) = (Recorder::new(), Recorder::new());
    let config = file(
        "services",
        &format!(
            "[profile other]\nregion = ap-south-1\nendpoint_url = {}\nservices = local\n[services local]\ndynamodb =\n  endpoint_url = {}\n",
            all.url, service.url
        ),
    );
    let with = |name: &str, value: &str| {
        let call = asks("").env("AWS_CONFIG_FILE", config.to_str().unwrap()).env("AWS_PROFILE", "other");
        call.env(name, value)
    };
    with("AWS_REGION", "eu-west-1").said();
    assert_eq!((service.asked().len(), all.asked().len()), (1, 0));

    let said = with("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true").env("HTTPS_PROXY", "http://127.0.0.1:1").said();
    assert_eq!((service.asked().len(), all.asked().len()), (0, 0), "{said}");
}

#[test]
fn variable_that_is_set_to_nothing_counts_as_not_set() {
    let recorder = Recorder::new();
    let names = [
        "AWS_REGION",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_SQS",
        "AWS_ENDPOINT_URL_SCHEDULER",
        "AWS_ENDPOINT_URL_SFN",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_ACCOUNT_ID",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE",
        "AWS_AUTH_SCHEME_PREFERENCE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_DISABLE_CLOCK_SKEW_CORRECTION",
        "AWS_DISABLE_REQUEST_COMPRESSION",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "AWS_EXECUTION_ENV",
        "AWS_NEW_RETRIES_2026",
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SDK_UA_APP_ID",
        "AWS_SIGV4A_SIGNING_REGION_SET",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ];
    for name in names {
        let call = asks("").env("AWS_DEFAULT_REGION", "eu-west-1").env("AWS_ENDPOINT_URL", &recorder.url);
        let said = call.env(name, "").said();
        let asked = recorder.asked();
        assert!(!asked.is_empty(), "{name}: {said}");
        assert!(asked[0].authorization.contains("/eu-west-1/dynamodb/"), "{name}: {asked:?}");
        assert_eq!(asked[0].token, "", "{name}");
    }
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let said = asks("").env("AWS_ENDPOINT_URL", &recorder.url).env(name, "").said();
        assert_eq!(said.code, 4, "{name}: {said}");
        assert!(said.err.contains("no AWS credentials (set AWS_PROFILE"), "{name}: {said}");
    }
}

#[test]
fn no_region_is_no_access_with_the_remedy() {
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        let said = asks("").env("AWS_REGION", "").env(name, "").env("AWS_CONFIG_FILE", "/nowhere").said();
        assert_eq!(said.code, 4, "{said}");
        assert!(said.err.contains("no AWS region (set AWS_REGION, or the profile's region)"), "{said}");
    }
}

#[test]
fn region_keys_and_token_are_those_of_the_variables_and_else_of_the_profile() {
    let recorder = Recorder::new();
    let config = file("config", "[profile other]\nregion = ap-south-1\n[default]\nregion = us-east-2\n");
    let keys = file("keys", "[other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = secret\n");
    let of = |call: Call| {
        let said = call.env("AWS_ENDPOINT_URL", &recorder.url).said();
        recorder.asked().pop().unwrap_or_else(|| panic!("{said}"))
    };
    let asked = of(asks("").env("AWS_SESSION_TOKEN", "the token"));
    assert!(asked.authorization.contains("Credential=AKIDFIRST/"), "{asked:?}");
    assert!(asked.authorization.contains("/eu-west-1/dynamodb/"), "{asked:?}");
    assert_eq!((&*asked.token, &*asked.target), ("the token", "DynamoDB_20120810.GetItem"));

    let asked = of(asks("").env("AWS_REGION", "").env("AWS_DEFAULT_REGION", "sa-east-1"));
    assert!(asked.authorization.contains("/sa-east-1/"), "{asked:?}");
    assert!(of(asks("--region us-west-1")).authorization.contains("/us-west-1/"));

    let with_files = |more: &str, profile: &str| {
        let call = asks(more).env("AWS_ACCESS_KEY_ID", "").env("AWS_SECRET_ACCESS_KEY", "").env("AWS_REGION", "");
        let call = call.env("AWS_CONFIG_FILE", config.to_str().unwrap()).env("AWS_PROFILE", profile);
        of(call.env("AWS_SHARED_CREDENTIALS_FILE", keys.to_str().unwrap()))
    };
    for (more, profile) in [("", "other"), ("--profile other", ""), ("--profile other", "another")] {
        let asked = with_files(more, profile);
        assert!(asked.authorization.contains("Credential=AKIDOTHER/"), "{more}, {profile}: {asked:?}");
        assert!(asked.authorization.contains("/ap-south-1/"), "{more}, {profile}: {asked:?}");
    }
    let asked = of(asks("").env("AWS_REGION", "").env("AWS_CONFIG_FILE", config.to_str().unwrap()));
    assert!(asked.authorization.contains("/us-east-2/"), "the default profile's: {asked:?}");
}

#[test]
fn number_of_tries_is_that_of_the_variable() {
    let recorder = Recorder::new();
    for (tries, expected) in [("1", 1), ("2", 2), ("3", 3), ("", 5)] {
        asks("").env("AWS_ENDPOINT_URL", &recorder.url).env("AWS_MAX_ATTEMPTS", tries).said();
        assert_eq!(recorder.asked().len(), expected, "{tries:?}");
    }
    asks("")
        .env("AWS_ENDPOINT_URL", &recorder.url)
        .env("AWS_MAX_ATTEMPTS", "")
        .env("AWS_RETRY_MODE", "standard")
        .said();
    assert_eq!(recorder.asked().len(), 3, "the SDK's own");
}

#[test]
fn fips_and_dual_stack_are_not_asked_of_an_endpoint_of_ones_own() {
    let recorder = Recorder::new();
    for (name, said_of_it) in [("AWS_USE_FIPS_ENDPOINT", "FIPS"), ("AWS_USE_DUALSTACK_ENDPOINT", "Dualstack")] {
        let with = |value: &str| asks("").env("AWS_ENDPOINT_URL", &recorder.url).env(name, value).said();
        let said = with("true");
        assert_eq!((said.code, recorder.asked().len()), (1, 0), "{said}");
        assert!(said.err.contains(said_of_it) && said.err.contains("custom endpoint"), "{said}");
        let said = with("false");
        assert_eq!(recorder.asked().len(), 1, "{said}");
    }
}

#[test]
fn endpoint_that_is_no_url_is_refused_by_name() {
    for (name, url) in
        [("AWS_ENDPOINT_URL", "localhost:4566"), ("AWS_ENDPOINT_URL_SFN", "http://"), ("AWS_ENDPOINT_URL_SQS", "/x")]
    {
        let said = asks("").env(name, url).said();
        assert_eq!(said.code, 4, "{said}");
        assert!(said.err.contains(&format!("the endpoint {url:?} is no URL (expected such as http")), "{said}");
    }
    let said = asks("").env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").said();
    assert!(said.code == 4 && said.err.contains("can't reach http://127.0.0.1:1 (is it running?)"), "{said}");
    assert!(said.err.contains("\nnext: dacapo doctor"), "{said}");
}
