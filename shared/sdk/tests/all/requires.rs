//! A function's needs of the account: said where the function is, and read by its handlers.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use dacapo::{Definition, State, code, prelude::*};
use dacapo_domain::{FunctionEntry, SecretSource};
use dacapo_test_kit::TestApp;

const MAIL: TaskRef<(), String> = TaskRef::new("mail");
const JOINED: EventRef<String> = EventRef::new("user.joined");

async fn mail((): (), cx: TaskContext) -> Result<String, TaskError> {
    Ok(format!("{} {}", cx.variable("SENDER")?, cx.variable("PASSWORD")?))
}

async fn joined(_: String, _: EventContext) -> Result<(), TaskError> {
    Ok(())
}

fn entry(function: impl Function) -> FunctionEntry {
    Definition::of(function).describe("some-crate").unwrap()
}

#[test]
fn requirements_are_in_the_manifest_and_come_back_from_it() {
    let function = task(MAIL, mail)
        .allow("ses:SendEmail", "arn:aws:ses:eu-west-1:111122223333:identity/shop.example")
        .environment("SENDER", "mail@shop.example")
        .secret("PASSWORD", "shop/smtp")
        .secret("API_KEY", ssm("/shop/api-key"))
        .layer("arn:aws:lambda:eu-west-1:111122223333:layer:fonts:3")
        .vpc(["subnet-1"], ["sg-1"])
        .file_system("${Files.Arn}", "/mnt/files")
        .ephemeral_storage(1_024)
        .tracing()
        .log_level("debug");
    let entry = entry(function);
    let requires = &entry.requires;
    assert_eq!(requires.allow[0].action, "ses:SendEmail");
    assert_eq!(requires.environment["SENDER"], "mail@shop.example");
    assert_eq!(requires.secrets["PASSWORD"], SecretSource::SecretsManager("shop/smtp".to_owned()));
    assert_eq!(requires.secrets["API_KEY"], SecretSource::Ssm("/shop/api-key".to_owned()));
    assert_eq!(requires.file_system.as_ref().unwrap().path, "/mnt/files");
    assert_eq!((requires.ephemeral_storage_mb, requires.tracing), (Some(1_024), true));
    let read: FunctionEntry = serde_json::from_str(&serde_json::to_string(&entry).unwrap()).unwrap();
    assert_eq!(read, entry);
}

#[test]
fn function_that_needs_nothing_says_nothing_of_it() {
    let json = serde_json::to_string(&entry(task(MAIL, mail))).unwrap();
    assert!(!json.contains("requires"), "{json}");
}

#[test]
fn requirements_of_the_handlers_of_one_function_are_put_together() {
    let entry = entry([
        on(JOINED, joined).memory(512).environment("SENDER", "a").allow("s3:GetObject", "arn:aws:s3:::a/*"),
        on(JOINED, joined).memory(1_024).environment("COLOUR", "b").allow("s3:GetObject", "arn:aws:s3:::a/*"),
    ]);
    assert_eq!(entry.memory_mb, 1_024);
    assert_eq!(entry.requires.variables().collect::<Vec<_>>(), ["COLOUR", "SENDER"]);
    assert_eq!(entry.requires.allow.len(), 1, "said twice, meant once");
}

#[test]
fn each_requirement_that_can_not_be_is_refused_with_what_is_allowed() {
    let mail = || task(MAIL, mail);
    for (function, wanted) in [
        (
            mail().allow("GetObject", "*"),
            "allow of action \"GetObject\" (allowed: a service and a verb, as \"s3:GetObject\")",
        ),
        (mail().allow("s3:", "*"), "allow of action \"s3:\""),
        (mail().allow("s3:GetObject", ""), "allow of s3:GetObject on no resource (give the ARN"),
        (mail().allow("s3:GetObject", "invoices"), "on \"invoices\" (allowed: an ARN, \"${Name.Arn}\""),
        (mail().environment("9", "x"), "variable \"9\" (allowed: two or more letters, digits and underscores"),
        (mail().environment("A-B", "x"), "variable \"A-B\""),
        (mail().environment("AWS_REGION", "x"), "variable AWS_REGION (Lambda sets it itself; take another name)"),
        (mail().secret("AWS_LAMBDA_X", "x"), "variable AWS_LAMBDA_X (Lambda sets it itself"),
        (mail().environment("DACAPO_APP", "x"), "variable DACAPO_APP (names with DACAPO_ are Dacapo's own"),
        (
            mail().environment("AB", "x".repeat(3_797)),
            "environment of 4097 bytes, 298 of them Dacapo's own (Lambda allows",
        ),
        (
            mail().environment("AB", "x".repeat(3_756)).secret("PASSWORD", "shop/smtp"),
            "environment of 4097 bytes, 339 of them Dacapo's own",
        ),
        (mail().environment("AB", "x").secret("AB", "x"), "AB is an environment variable and a secret"),
        (mail().secret("AB", ""), "secret AB without a name or ARN"),
        (mail().ephemeral_storage(511), "ephemeral_storage of 511 MB (allowed: 512 to 10,240 MB)"),
        (mail().vpc(["subnet-1"], [] as [&str; 0]), "vpc of 1 subnets and 0 security groups"),
        (mail().file_system("arn:x", "/data"), "file_system at \"/data\" (allowed: a folder beneath /mnt/"),
        (mail().file_system("arn:x", "/mnt/data"), "file_system at \"/mnt/data\" without a vpc"),
        (mail().log_level("loud"), "log_level \"loud\" (allowed: trace, debug, info, warn, error)"),
    ] {
        let problems = Definition::of(function).describe("some-crate").unwrap_err();
        assert!(problems.len() == 1 && problems[0].contains(wanted), "{problems:?}: {wanted}");
    }
}

#[test]
fn requirements_that_handlers_of_one_function_can_not_have_together_are_refused() {
    let on = || on(JOINED, joined);
    let layers = |from: u32| (from..from + 3).fold(on(), |handler, n| handler.layer(format!("arn:layer:{n}")));
    for (handlers, wanted) in [
        ([on().environment("AB", "1"), on().environment("AB", "2")], "environment AB is \"1\" and \"2\" (say it once)"),
        ([on().environment("AB", "1"), on().secret("AB", "x")], "AB is an environment variable and a secret"),
        ([layers(0), layers(3)], "6 layers (Lambda allows 5)"),
        ([on().environment("AB", "x".repeat(2_000)), on().environment("CD", "x".repeat(2_000))], "environment of 4302"),
    ] {
        let problems = Definition::of(handlers).describe("some-crate").unwrap_err();
        assert!(problems.len() == 1 && problems[0].contains(wanted), "{problems:?}: {wanted}");
    }
    // What one has and the other needs is there.
    let both = [on().vpc(["subnet-1"], ["sg-1"]), on().file_system("arn:x", "/mnt/data")];
    assert!(Definition::of(both).describe("some-crate").is_ok());
}

#[tokio::test]
async fn handler_and_hook_read_variables_and_a_test_gives_them_values() {
    /// The words of the handler, which the hook says too.
    async fn told(app: &TestApp) -> String {
        let id = app.run(MAIL, ()).await.unwrap().id();
        app.run_until_idle().await;
        let [by_hook] = &app.logs(id).await.unwrap()[..] else { panic!("one entry") };
        let by_handler: String = app.state(id).await.unwrap().result.unwrap().parse().unwrap();
        assert_eq!(by_hook.message, by_handler);
        by_handler
    }
    let function = task(MAIL, mail).environment("SENDER", "mail@shop.example").secret("PASSWORD", "shop/smtp");
    let function = function.on_success(async |_, cx: HookContext| {
        cx.log_info(format!("{} {}", cx.variable("SENDER")?, cx.variable("PASSWORD")?), ()).await?;
        Ok(())
    });
    let app = TestApp::new().variable("PASSWORD", "geheim").with(function);
    assert_eq!(told(&app).await, "mail@shop.example geheim");

    // A value of the test's own goes before the definition's.
    let app = app.variable("SENDER", "test@shop.example");
    assert_eq!(told(&app).await, "test@shop.example geheim");
}

#[tokio::test]
async fn variable_without_a_value_or_that_the_definition_does_not_name_is_an_error_that_says_which() {
    let function = || task(MAIL, mail).environment("SENDER", "mail@shop.example").retry(Retry::never());
    for (function, wanted) in [
        (function(), "the function has SENDER"),
        (
            function().secret("PASSWORD", "shop/smtp"),
            "it has no value here (a test gives it one by `TestApp::variable`)",
        ),
    ] {
        let app = TestApp::new().with(function);
        app.run(MAIL, ()).await.unwrap();
        app.run_until_idle().await;
        let run = app.run_of(MAIL);
        assert_eq!((run.state, run.error_code.as_deref()), (State::Failed, Some(code::ERROR)));
        let message = run.error_message.unwrap();
        assert!(message.contains("\"PASSWORD\"") && message.contains(wanted), "{message}");
    }
}

const SHIP: TaskRef<String, String> = TaskRef::new("ship");
const PACK: TaskRef<String> = TaskRef::new("pack");
const SHIPPED: EventRef<String> = EventRef::new("order.shipped");

async fn ship(what: String, cx: TaskContext) -> Result<String, TaskError> {
    let refused = match what.as_str() {
        "starts" => cx.run(PACK, what).await.err(),
        "starts a batch" => cx.batch(PACK, [what]).await?.remove(0).err(),
        _ => cx.publish(SHIPPED, what).await.err(),
    };
    Ok(refused.map_or_else(|| "allowed".to_owned(), |error| error.to_string()))
}

async fn pack(_: String, _: TaskContext) -> Result<(), TaskError> {
    Ok(())
}

async fn said(function: impl Function, what: &str) -> String {
    let app = TestApp::new().with(function).with(task(PACK, pack));
    let id = app.run(SHIP, what.to_owned()).await.unwrap().id();
    app.run_until_idle().await;
    app.client().state(id).await.unwrap().result.unwrap().parse().unwrap()
}

#[tokio::test]
async fn function_that_says_what_it_sends_starts_and_publishes_nothing_else() {
    const WAYS: [&str; 3] = ["starts", "starts a batch", "publishes"];
    for way in WAYS {
        assert_eq!(said(task(SHIP, ship), way).await, "allowed", "{way}");
        assert_eq!(said(task(SHIP, ship).starts(PACK).publishes(SHIPPED), way).await, "allowed", "{way}");
        let refused = said(task(SHIP, ship).sends_nothing(), way).await;
        assert!(refused.contains("says that it starts and publishes nothing (add `."), "{way}: {refused}");
    }
    assert_eq!(
        said(task(SHIP, ship).publishes(SHIPPED), "starts").await,
        "failed to start task \"pack\": the function's definition says that it starts and publishes event \
        \"order.shipped\" (add `.starts(…)` of this one to it)"
    );
    let refused = said(task(SHIP, ship).starts(PACK), "publishes").await;
    assert!(refused.contains("publish event \"order.shipped\""), "{refused}");
    assert!(refused.ends_with("publishes task \"pack\" (add `.publishes(…)` of this one to it)"), "{refused}");
}

#[tokio::test]
async fn hook_starts_what_its_function_says_and_nothing_else() {
    let ship = || {
        task(SHIP, ship).on_success(async |_, cx: HookContext| {
            cx.run(PACK, String::new()).await?;
            Ok(())
        })
    };
    for (function, packs) in [(ship().sends_nothing(), 0), (ship().starts(PACK), 1)] {
        let app = TestApp::new().with(function).with(task(PACK, pack));
        app.run(SHIP, "publishes".to_owned()).await.unwrap();
        app.run_until_idle().await;
        assert_eq!((app.run_of(SHIP).state, app.runs_of(PACK).len()), (State::Completed, packs));
    }
}

#[test]
fn handlers_of_one_function_that_do_not_all_say_what_they_send_are_refused() {
    let both = [on(JOINED, joined).sends_nothing(), on(JOINED, joined).starts(PACK).publishes(SHIPPED)];
    let sends = entry(both).requires.sends.unwrap();
    assert_eq!(sends.to_string(), "task \"pack\", event \"order.shipped\"");
    let one = [on(JOINED, joined), on(JOINED, joined).starts(PACK)];
    let problems = Definition::of(one).describe("some-crate").unwrap_err();
    assert!(problems[0].contains("another doesn't (say it of each, by `starts`, `publishes` or"), "{problems:?}");
}

async fn continues(page: String, _: TaskContext) -> Result<Outcome<String, ()>, TaskError> {
    Ok(if page.is_empty() { Done(()) } else { Continue(String::new()) })
}

#[test]
fn task_may_continue_where_its_handlers_type_says_so() {
    assert!(entry(task(PACK, continues)).may_start_loop());
    assert!(!entry(task(PACK, pack)).may_start_loop());
    assert!(!entry(on(JOINED, joined)).may_start_loop());
    let json = serde_json::to_string(&entry(task(PACK, continues))).unwrap();
    assert!(!json.contains("mayContinue"), "{json}");
    let before: FunctionEntry = serde_json::from_str(&json).unwrap();
    assert!(before.may_start_loop(), "one of before it was said");
}
