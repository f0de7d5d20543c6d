//! The rights of each function's role: those that its definition needs, recorded in `rights.txt`, and no others.
//!
//! `UPDATE=1` writes the file anew.

use std::{env, fs, path::Path};

use dacapo_domain::{
    APP_DLQ, FunctionEntry, Holds, Manifest, ManifestRecord, Policy, Requirements, Sends, TIMERS, TaskEntry,
    function_dlq,
};
use dacapo_infra::{OwnResources, template};
use serde_json::Value;

use crate::read::{Read, read, subscription};

/// One action that a role allows on one resource, with its condition.
struct Allowed {
    action: String,
    resource: String,
    condition: String,
}

fn task(name: &str, may_continue: bool, requires: Requirements) -> FunctionEntry {
    let (policy, schedules) = (Policy::default(), vec![]);
    let task = TaskEntry { name: name.to_owned(), policy, private: false, may_continue, schedules };
    FunctionEntry::task(name, 256, task).requiring(requires)
}

/// A task's function whose runs share invocations: one whose process died is made again by a wait loop.
fn sharing(name: &str) -> FunctionEntry {
    let mut function = task(name, false, Requirements::default());
    let Holds::Task(task) = &mut function.holds else { unreachable!() };
    task.policy.batch = 2;
    function
}

fn sending(tasks: &[&str], events: &[&str]) -> Requirements {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let sends = Some(Sends { tasks: names(tasks), events: names(events) });
    Requirements { sends, ..Requirements::default() }
}

/// An app with a function of each kind of rights.
fn functions() -> Vec<FunctionEntry> {
    vec![
        FunctionEntry::conductor(),
        task("administer", false, Requirements { uses_client: true, ..Requirements::default() }),
        task("charge", true, sending(&["send-receipt"], &[])),
        task("import", true, Requirements::default()),
        sharing("mail"),
        task("send-receipt", false, sending(&[], &["user.joined"])),
        task("send-welcome", false, Requirements::default()),
        FunctionEntry::events("count-users", 128, vec![subscription(false)]).requiring(sending(&[], &[])),
        FunctionEntry::events("greet-users", 128, vec![subscription(true)]),
    ]
}

fn app() -> Manifest {
    Manifest::new("shop", functions()).unwrap()
}

fn rights(template: &Read, function: &str) -> Vec<Allowed> {
    let role = template.properties(&format!("{}Role", id(function)));
    let attached = role["ManagedPolicyArns"].as_array().unwrap().iter();
    let attached = attached.map(|policy| &template.properties(policy["Ref"].as_str().unwrap())["PolicyDocument"]);
    let inline = role["Policies"].as_array().unwrap().iter().map(|policy| &policy["PolicyDocument"]);
    let statements = attached.chain(inline).flat_map(|document| document["Statement"].as_array().unwrap());
    statements.flat_map(allowed).collect()
}

fn allowed(statement: &Value) -> Vec<Allowed> {
    let condition = statement.get("Condition").map(Value::to_string).unwrap_or_default();
    let resources = match &statement["Resource"] {
        Value::Array(resources) => resources.clone(),
        resource => vec![resource.clone()],
    };
    let actions = statement["Action"].as_array().unwrap();
    let all = resources.iter().flat_map(|resource| actions.iter().map(move |action| (action, resource)));
    let of = |(action, resource): (&Value, &Value)| Allowed {
        action: action.as_str().unwrap().to_owned(),
        resource: short(resource["Fn::Sub"].as_str().unwrap()),
        condition: condition.clone(),
    };
    all.map(of).collect()
}

/// An ARN without partition, region and account.
fn short(arn: &str) -> String {
    let parts: Vec<&str> = arn.split("${AWS::AccountId}:").collect();
    parts[1].replace("${App}-${Stage}", "shop-dev")
}

fn id(function: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    function.split('-').map(word).collect()
}

/// Is true of a right that the definition of a function has no use for.
fn is_excess(manifest: &Manifest, function: &FunctionEntry, right: &Allowed) -> bool {
    let Allowed { action, resource, condition } = right;
    let is_conductor = function.holds == Holds::Conductor;
    let queue = |name: &str| *resource == format!("shop-dev-{name}");
    let is_apps = |queue: &dyn Fn(&str) -> bool| manifest.functions.iter().any(|function| queue(&function.name));
    match action.as_str() {
        "dynamodb:Query" if resource.contains("/index/") => !function.uses_all(),
        "dynamodb:BatchGetItem" | "dynamodb:DescribeTable" | "dynamodb:GetItem" | "dynamodb:Query" => {
            resource != "table/shop-dev"
        }
        write if write.starts_with("dynamodb:") => {
            let leaves_out_the_manifest = condition.contains(&format!("{:?}", ManifestRecord::key().to_string()))
                && condition.contains("ForAllValues:StringNotEquals");
            resource != "table/shop-dev" || !(leaves_out_the_manifest || is_conductor)
        }
        "states:StartExecution" => !function.may_start_loop() && !function.uses_all(),
        "states:DescribeExecution" | "states:StopExecution" => !function.uses_all(),
        "scheduler:CreateSchedule" | "scheduler:DeleteSchedule" | "scheduler:UpdateSchedule" => {
            let is_timer = TIMERS.iter().any(|kind| *resource == format!("schedule/shop-dev/{kind}-*"));
            !is_timer && matches!(function.holds, Holds::Events(_))
        }
        "iam:PassRole" => resource != "role/shop-dev-scheduler" || condition.is_empty(),
        "sqs:GetQueueUrl" | "sqs:SendMessage" => {
            let is_dlq = queue(APP_DLQ) || function.dlq().is_some_and(|dlq| queue(&dlq));
            let any_dlq = |name: &str| queue(&function_dlq(name));
            let is_target = match manifest.sent_to(function) {
                Some(names) => names.into_iter().any(queue),
                None => is_apps(&queue),
            };
            !(is_dlq || is_target || is_conductor && is_apps(&any_dlq))
        }
        "sqs:DeleteMessage" | "sqs:ReceiveMessage" => !(queue(&function.name) || is_conductor && queue(APP_DLQ)),
        "sqs:GetQueueAttributes" => !queue(&function.name) && !is_conductor,
        "logs:CreateLogStream" | "logs:PutLogEvents" => {
            *resource != format!("log-group:/aws/lambda/shop-dev-{}:*", function.name)
        }
        _ => true,
    }
}

fn assert_no_excess(manifest: &Manifest, template: &Read) {
    for function in &manifest.functions {
        for right in rights(template, &function.name) {
            let Allowed { action, resource, .. } = &right;
            assert!(!is_excess(manifest, function, &right), "{} may {action} on {resource}: for what?", function.name);
        }
    }
}

#[test]
fn role_allows_nothing_that_the_definition_of_its_function_can_not_do() {
    assert_no_excess(&app(), &read(&app()));
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifest.json");
    let sample: Manifest = serde_json::from_str(&fs::read_to_string(sample).unwrap()).unwrap();
    assert_no_excess(&sample, &read(&sample));
}

#[test]
fn rights_of_each_role_are_those_that_are_recorded() {
    let (manifest, mut text) = (app(), String::new());
    let template = read(&manifest);
    for function in &manifest.functions {
        text += &format!("{}\n", function.name);
        let mut lines: Vec<String> = rights(&template, &function.name)
            .iter()
            .map(|right| {
                let condition = if right.condition.is_empty() { "" } else { "  on a condition" };
                format!("  {:28} {}{condition}\n", right.action, right.resource)
            })
            .collect();
        lines.sort();
        lines.dedup();
        text.extend(lines);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/template/rights.txt");
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    let first = recorded.lines().zip(text.lines()).find(|(recorded, written)| recorded != written);
    assert!(recorded == text, "the rights are others than rights.txt has (UPDATE=1 writes it); first: {first:?}");
}

#[test]
fn queue_of_a_parent_that_may_wait_is_open_to_its_child_and_no_other_parents() {
    let manifest = app();
    let to = |name: &str| {
        let function = manifest.functions.iter().find(|function| function.name == name).unwrap();
        manifest.sent_to(function).map(|names| names.into_iter().collect::<Vec<_>>())
    };
    // `import` says nothing: it may start any of them and wait for it.
    let of_receipt = ["charge", "conductor", "count-users", "greet-users", "import", "send-receipt"];
    assert_eq!(to("send-receipt").unwrap(), of_receipt);
    assert_eq!(to("charge").unwrap(), ["charge", "conductor", "import", "send-receipt"]);
    assert_eq!(to("count-users").unwrap(), ["conductor", "count-users"]);
    assert_eq!((to("import"), to("administer"), to("conductor")), (None, None, None));
}

#[test]
fn tasks_that_share_a_queue_pass_their_permits_on_and_lifecycle_events_go_to_their_handlers() {
    let mut functions = vec![FunctionEntry::conductor()];
    for name in ["resize", "scale", "other"] {
        let mut function = task(name, false, sending(&[], &[]));
        if let (Holds::Task(task), true) = (&mut function.holds, name != "other") {
            task.policy.limits.queue = Some("images".to_owned());
        }
        functions.push(function);
    }
    let mut told = subscription(false);
    told.event = "task.failed:resize".to_owned();
    functions.push(FunctionEntry::events("alert", 128, vec![told]));
    let manifest = Manifest::new("shop", functions).unwrap();
    let resize = manifest.functions.iter().find(|function| function.name == "resize").unwrap();
    let names: Vec<&str> = manifest.sent_to(resize).unwrap().into_iter().collect();
    assert_eq!(names, ["alert", "conductor", "resize", "scale"]);
}

#[test]
fn function_that_starts_what_no_function_holds_is_refused_with_both_names() {
    let mut functions = functions();
    functions.push(task("typo", false, sending(&["send-reciept"], &[])));
    let error = template(&Manifest::new("shop", functions).unwrap(), &OwnResources::default()).unwrap_err();
    let expected = "typo: it says that it starts task \"send-reciept\", which no function of the app holds";
    assert_eq!(error.to_string(), expected);
}
