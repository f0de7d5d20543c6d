//! A token: completed once, or over, and told so; its text.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

#[expect(dead_code, reason = "a token has no table")]
mod tape;

use dacapo_domain::{
    Id, NewToken, Secret, TokenInput, TokenRecord, TokenState, TokenText, Version, check_token_name, check_token_value,
    limits, slot,
};
use tape::{Case, Taped, at, context, driven, json, play, tape};

impl Taped for TokenRecord {
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn phase_name(&self) -> String {
        format!("{:?}", self.state)
    }

    fn input_name(input: &TokenInput) -> String {
        format!("{input:?}")
    }
}

fn run() -> Id {
    Id::new(at(0), 7)
}

/// Made at 0.
fn token(until: Option<i64>) -> TokenRecord {
    named("approve", 99, until)
}

fn named(name: &str, secret: u128, until: Option<i64>) -> TokenRecord {
    let expires_at_s = at(16 * 86_400).as_second();
    let new = NewToken { run: run(), name, secret: Secret::new(secret), until: until.map(at), expires_at_s };
    TokenRecord::create(&new, &context(0)).record
}

fn completed() -> TokenInput {
    TokenInput::Completed(json(r#"{"granted":true}"#))
}

fn cases() -> Vec<Case<TokenRecord>> {
    use TokenInput::Asked;
    let done = driven(&token(Some(60)), 30, &completed(), ());
    let over = driven(&token(Some(60)), 60, &Asked, ());
    vec![
        tape("an open token is completed with a value", &token(None))
            .at(400_000_000)
            .gets(&completed(), ())
            .stores(|next| next.state = TokenState::Completed(at(400_000_000)))
            .with(slot::VALUE, json(r#"{"granted":true}"#)),
        tape("a token is completed up to its last moment", &token(Some(60)))
            .at(59)
            .gets(&completed(), ())
            .stores(|next| next.state = TokenState::Completed(at(59)))
            .with(slot::VALUE, json(r#"{"granted":true}"#)),
        tape("a token whose time has passed is completed no more", &token(Some(60)))
            .at(60)
            .gets(&completed(), ())
            .keeps(),
        tape("a token is completed once", &done).at(31).gets(&TokenInput::Completed(json("2")), ()).keeps(),
        tape("a token that its run was told is over is completed no more, whatever the clock", &over)
            .at(59)
            .gets(&completed(), ())
            .keeps(),
        tape("an open token that is asked for stays open until its time has passed", &token(Some(60)))
            .at(59)
            .gets(&Asked, ())
            .keeps(),
        tape("an open token without an end stays open", &token(None)).at(400_000_000).gets(&Asked, ()).keeps(),
        tape("a token that is asked for once its time has passed is over for good", &token(Some(60)))
            .at(60)
            .gets(&Asked, ())
            .stores(|next| next.state = TokenState::TimedOut(at(60))),
        tape("a completed token stays so when its time has passed", &done).at(60).gets(&Asked, ()).keeps(),
    ]
}

#[test]
fn token_of_every_case_is_decided_as_told() {
    play(cases());
}

#[test]
fn token_is_over_once_it_is_completed_or_its_time_has_passed() {
    let is_over = |token: &TokenRecord| [0, 59, 60].map(|seconds| token.is_over(at(seconds)));
    assert_eq!(is_over(&token(None)), [false; 3]);
    assert_eq!(is_over(&token(Some(60))), [false, false, true]);
    assert_eq!(is_over(&driven(&token(Some(60)), 30, &completed(), ())), [true; 3]);
}

#[test]
fn text_of_a_token_is_read_back_and_has_letters_that_a_url_takes() {
    for name in ["a", "approve", "ö/ü?&#", &"x".repeat(256)] {
        let made = named(name, u128::MAX / 7, None);
        let text = made.text().to_string();
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
        assert_eq!(text.parse::<TokenText>().unwrap(), made.text());
    }
}

#[test]
fn token_stands_beside_its_run_under_a_key_that_a_table_takes() {
    let owner = Some(format!("run/{}", run()));
    let key = |name: &str| TokenRecord::key_of(run(), name);
    assert_eq!((key("approve/1").id, key("approve/1").owner), ("approve/1".to_owned(), owner));
    let (long, other) = (key(&"é".repeat(256)), key(&"ö".repeat(256)));
    assert_eq!(long.id, "é".repeat(256));
    assert_ne!(long, other);
    let longest = key(&"🐘".repeat(256));
    assert!(longest.id.len() == 32 && longest != key(&"🦁".repeat(256)), "{longest}");
}

#[test]
fn text_that_is_no_tokens_is_refused_without_being_said_again() {
    let text = token(None).text().to_string();
    let is = "take its whole text as `cx.token` gave it: A-Z, a-z, 0-9, - and _";
    for wrong in ["", "approve", &text[..40], &format!("{text}="), &format!(" {text}"), &text.replace('A', "%")] {
        let error = wrong.parse::<TokenText>().unwrap_err().to_string();
        assert_eq!(error, format!("read the token of {} bytes ({is})", wrong.len()));
    }
}

#[test]
fn secret_of_a_token_is_in_its_document_and_in_no_log() {
    let token = token(None);
    assert!(!format!("{token:?}").contains("99") && !format!("{:?}", token.text()).contains("99"));
    assert!(Secret::new(1) != Secret::new(1 << 127) && Secret::new(5) == Secret::new(5));
}

#[test]
fn name_or_value_of_a_token_out_of_bounds_is_refused_with_what_is_allowed() {
    assert_eq!(check_token_name(&"é".repeat(256)), Ok(()));
    for (name, chars) in [(String::new(), 0), ("é".repeat(257), 257)] {
        let error = check_token_name(&name).unwrap_err().to_string();
        assert!(error.starts_with("token name \""), "{error}");
        assert!(error.ends_with(&format!("\" has {chars} characters (allowed: 1 to 256)")), "{error}");
    }
    let value = |bytes: usize| json(&format!("\"{}\"", "x".repeat(bytes - 2)));
    assert_eq!(check_token_value(&value(limits::MESSAGE_BYTES)), Ok(()));
    let error = check_token_value(&value(limits::MESSAGE_BYTES + 1)).unwrap_err().to_string();
    assert!(error.starts_with("store a token's value of 1048577 bytes"), "{error}");
    assert!(error.contains("(allowed: 1048576;"), "{error}");
}
