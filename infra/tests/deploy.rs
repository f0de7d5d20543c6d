//! `infra/deploy`, as it speaks to CloudFormation: what it shows, when it asks, and what it says of a failure. The command
//! line of AWS is a script that answers from files, and notes how it was called.

#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use dacapo_domain::{FunctionEntry, Manifest};
use dacapo_infra::{OwnResources, template};
use tempfile::TempDir;

const AWS: &str = r#"#!/bin/sh
cd "$(dirname "$0")/state"
echo "$*" >>calls
case "$*" in
'sts get-caller-identity'*) echo 123456789012 ;;
's3 sync'*) cat uploads ;;
's3 presign'*) echo 'https://bucket.example/template?signed' ;;
*describe-stacks*) [ -s status ] && cat status || { echo 'Stack does not exist' >&2; exit 254; } ;;
*describe-stack-events*) cat events ;;
*list-stack-resources*) printf 'Table\tCREATE_COMPLETE\nLoop\tCREATE_COMPLETE\n' ;;
*describe-change-set*StatusReason*) cat change-set ;;
*describe-change-set*) cat changes ;;
*execute-change-set*) cat executed >status; cat news >>events ;;
*describe-table*|*describe-state-machine*) exit 254 ;;
'lambda invoke'*) for answer; do :; done; echo '{"stored":true}' >"$answer"; echo None ;;
esac
"#;

const UNCHANGED: &str = "FAILED\tThe submitted information didn't contain changes. Submit different information.\n";

/// A stage that is deployed to an AWS of files.
struct Stage {
    folder: TempDir,
}

/// The outcome of a deploy.
struct Told {
    is_done: bool,
    output: String,
    errors: String,
    calls: String,
}

impl Stage {
    /// A stack that is there, and of which one queue is to be changed and one to be replaced.
    fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["state", "out/x86_64"] {
            fs::create_dir_all(stage.path(folder)).unwrap();
        }
        fs::write(stage.path("aws"), AWS).unwrap();
        fs::set_permissions(stage.path("aws"), fs::Permissions::from_mode(0o755)).unwrap();
        let manifest = Manifest::new("shop", vec![FunctionEntry::conductor()]).unwrap();
        fs::write(stage.path("out/manifest.json"), serde_json::to_string(&manifest).unwrap()).unwrap();
        let template = template(&manifest, &OwnResources::default()).unwrap().to_text();
        fs::write(stage.path("out/template.json"), template).unwrap();
        fs::write(stage.path("out/x86_64/conductor.zip"), "code").unwrap();
        stage
            .state("status", "UPDATE_COMPLETE\n")
            .state("uploads", "")
            .state("change-set", "CREATE_COMPLETE\tNone\n")
            .state("changes", "Modify\tConductorQueue\tAWS::SQS::Queue\tFalse\nModify\tUndelivered\tAWS::SQS::Queue\tTrue\nRemove\tOldQueue\tAWS::SQS::Queue\tNone\n")
            .state("executed", "UPDATE_COMPLETE\n")
            .state("events", "2026-11-28T08:00:00Z\tUPDATE_COMPLETE\tshop-prod\tNone\n")
            .state("news", "2026-11-28T09:00:00Z\tUPDATE_COMPLETE\tConductorQueue\tNone\n2026-11-28T09:00:01Z\tUPDATE_COMPLETE\tshop-prod\tNone\n")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state(self, file: &str, text: &str) -> Self {
        fs::write(self.path("state").join(file), text).unwrap();
        self
    }

    fn deploy(&self, stage: &str, variables: &[(&str, &str)]) -> Told {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let target = Path::new(env!("CARGO_BIN_EXE_dacapo-infra")).ancestors().nth(2).unwrap();
        let path = format!("{}:{}", self.folder.path().display(), env::var("PATH").unwrap());
        let mut deploy = Command::new(top.join("infra/deploy"));
        for name in ["AWS_ENDPOINT_URL", "YES", "PROTECTED", "FUNCTIONS", "PARAMETERS", "ALARMS", "TOKEN_URL"] {
            deploy.env_remove(name);
        }
        let deploy = deploy
            .envs([
                ("PATH", &*path),
                ("STAGE", stage),
                ("APP", "shop"),
                ("ARCH", "x86_64"),
                ("AWS_REGION", "eu-west-1"),
            ])
            .current_dir(top)
            .env("DACAPO_INFRA", env!("CARGO_BIN_EXE_dacapo-infra"))
            .env("CARGO_TARGET_DIR", target)
            .env("OUT", self.path("out"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let calls = fs::read_to_string(self.path("state/calls")).unwrap_or_default();
        let _ = fs::remove_file(self.path("state/calls"));
        Told { is_done: deploy.status.success(), output: text(&deploy.stdout), errors: text(&deploy.stderr), calls }
    }
}

impl Told {
    fn has_called(&self, operation: &str) -> bool {
        self.calls.contains(operation)
    }
}

#[test]
fn changes_are_shown_and_made_and_then_the_manifest_is_stored() {
    let told = Stage::new().deploy("dev", &[]);
    assert!(told.is_done, "{}", told.errors);
    for line in [
        "  changes  ConductorQueue (AWS::SQS::Queue)\n",
        "  changes  Undelivered (AWS::SQS::Queue)  REPLACED: another takes its place\n",
        "  removes  OldQueue (AWS::SQS::Queue)\n",
        "  updated ConductorQueue\n",
    ] {
        assert!(told.output.contains(line), "{}", told.output);
    }
    assert!(told.has_called("execute-change-set") && told.has_called("lambda invoke"), "{}", told.calls);
    // As text in the request it would have 51,200 bytes at most.
    assert!(told.has_called("--template-url https://bucket.example/template "), "{}", told.calls);
}

#[test]
fn protected_stage_is_not_changed_without_agreement() {
    for (stage, variables) in
        [("prod", &[][..]), ("production", &[]), ("dev", &[("PROTECTED", "yes")]), ("prod", &[("YES", "perhaps")])]
    {
        let told = Stage::new().deploy(stage, variables);
        assert!(!told.is_done && told.output.contains("  changes  ConductorQueue"), "{}", told.output);
        assert!(told.errors.contains("say YES=yes"), "{}", told.errors);
        assert!(told.has_called("delete-change-set"), "{}", told.calls);
        assert!(!told.has_called("execute-change-set") && !told.has_called("lambda invoke"), "{}", told.calls);
    }
    for (stage, variables) in [("prod", ("YES", "yes")), ("prod", ("PROTECTED", "no"))] {
        let told = Stage::new().deploy(stage, &[variables]);
        assert!(told.is_done && told.has_called("execute-change-set"), "{}", told.errors);
    }
}

#[test]
fn new_protected_stage_that_is_not_agreed_to_leaves_no_stack_behind() {
    let told = Stage::new().state("status", "").state("changes", "41\n").deploy("prod", &[]);
    assert!(told.output.contains("  adds     the stack shop-prod, of 41 resources\n"), "{}", told.output);
    assert!(!told.is_done && told.has_called("--change-set-type CREATE") && told.has_called("delete-stack"));
}

#[test]
fn deploy_without_a_change_uploads_and_changes_nothing_even_on_a_protected_stage() {
    let told = Stage::new().state("change-set", UNCHANGED).deploy("prod", &[]);
    assert!(told.is_done && told.output.contains("  no change\n"), "{}{}", told.output, told.errors);
    assert!(!told.output.contains("uploaded") && !told.has_called("execute-change-set"), "{}", told.output);
    // It was stored already, or a deploy that ended before had left it undone.
    assert!(told.has_called("lambda invoke"));
}

#[test]
fn file_is_named_after_its_content_and_told_of_where_it_is_uploaded() {
    let uploads = "upload: a/b.zip to s3://shop-artifacts-123456789012-eu-west-1/x86_64/conductor-1.zip\n";
    let stage = Stage::new().state("uploads", uploads).state("change-set", UNCHANGED);
    let key = || {
        let told = stage.deploy("dev", &[]);
        assert!(told.output.contains("  uploaded x86_64/conductor-1.zip\n"), "{}", told.output);
        let names = fs::read_dir(stage.path("out/artifacts/x86_64")).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let (first, again) = (key(), key());
    assert_eq!(first, again);
    fs::write(stage.path("out/x86_64/conductor.zip"), "other code").unwrap();
    assert_ne!(key(), first);
}

#[test]
fn failed_deploy_names_the_resource_and_the_reason_and_keeps_the_manifest_of_what_runs() {
    let news = "2026-11-28T09:00:00Z\tUPDATE_FAILED\tConductorQueue\tno such attribute\n\
        2026-11-28T09:00:01Z\tUPDATE_ROLLBACK_COMPLETE\tshop-dev\tNone\n";
    let stage = Stage::new().state("news", news).state("executed", "UPDATE_ROLLBACK_COMPLETE\n");
    let told = stage.deploy("dev", &[]);
    assert!(!told.is_done && !told.has_called("lambda invoke"), "{}", told.calls);
    assert!(told.errors.contains("UPDATE_FAILED ConductorQueue no such attribute\n"), "{}", told.errors);
    assert!(told.errors.contains("what ran before goes on, and its manifest is kept\n"), "{}", told.errors);
    assert!(told.errors.contains("error: shop-dev is UPDATE_ROLLBACK_COMPLETE: "), "{}", told.errors);
}

#[test]
fn template_that_cloudformation_can_not_use_is_refused_with_its_reason() {
    let told = Stage::new().state("change-set", "FAILED\tUnresolved resource dependencies [X]\n").deploy("dev", &[]);
    assert!(!told.is_done && !told.has_called("execute-change-set"));
    assert!(told.errors.contains("no changes can be made of the template: Unresolved resource"), "{}", told.errors);
}

#[test]
fn stack_that_is_being_changed_is_left_alone() {
    let told = Stage::new().state("status", "UPDATE_IN_PROGRESS\n").deploy("dev", &[]);
    assert!(told.errors.contains("shop-dev is being changed already"), "{}", told.errors);
    assert!(!told.has_called("change-set") && !told.has_called("s3 sync"), "{}", told.calls);
}
