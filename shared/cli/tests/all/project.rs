//! Workspaces that `new`, `init` and `add` make.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::dacapo::{Said, call};
use insta::assert_snapshot;

/// The top of the repository, which the crates of each workspace come from.
fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

fn from() -> String {
    format!("--from 'path:{}'", top().display())
}

/// All files of a folder with their texts, by their paths in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn copy(file: &str, folder: &Path) {
    let to = folder.join(file);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(top().join(file), to).unwrap();
}

#[track_caller]
fn done(said: &Said) {
    assert_eq!(said.code, 0, "{said}");
}

/// The whole way: made, added to, checked and tested by its own `make`. Cargo's lock is ours, so that all that is needed
/// is here and mostly built; the folder is the same each time, so that the rest is built once.
#[test]
fn workspace_that_new_makes_and_add_extends_passes_its_own_checks_and_tests() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    done(&call(&format!("new shop {}", from())).within(&folder).said());
    let shop = folder.join("shop");
    copy("Cargo.lock", &shop);
    for line in ["add task 'resize image'", "add event order.placed", "add schedule weekly-report"] {
        done(&call(line).within(&shop.join("functions")).said());
    }
    for target in ["check", "test"] {
        let mut make = Command::new("make");
        make.arg(target).current_dir(&shop).env("CARGO_NET_OFFLINE", "true");
        make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL"); // Of a `make` that runs the tests.
        // What cargo tells a test of the test's own package would build what asks for it anew.
        let about_us = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| about_us(&name.to_string_lossy())) {
            make.env_remove(name);
        }
        let target_folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let output = make.env("CARGO_TARGET_DIR", target_folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "make {target}: {said}");
        let passed = said.lines().filter(|line| line.starts_with("test ") && line.ends_with("... ok")).count();
        assert_eq!(passed, if target == "test" { 8 } else { 0 }, "a task has one test, an event two: {said}");
    }
}

#[test]
fn new_names_each_file_that_it_made_and_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(call(&format!("new shop {}", from())).within(folder.path()).said(), @r#"
    made     .github/workflows/dacapo.yml
    made     .gitignore
    made     Cargo.toml
    made     Makefile
    made     README.md
    made     functions/conductor/Cargo.toml
    made     functions/conductor/src/main.rs
    made     functions/daily-report/Cargo.toml
    made     functions/daily-report/src/lib.rs
    made     functions/daily-report/src/main.rs
    made     functions/daily-report/tests/fires.rs
    made     functions/greet/Cargo.toml
    made     functions/greet/src/lib.rs
    made     functions/greet/src/main.rs
    made     functions/greet/tests/runs.rs
    made     functions/user-joined/Cargo.toml
    made     functions/user-joined/src/lib.rs
    made     functions/user-joined/src/main.rs
    made     functions/user-joined/tests/deliveries.rs
    made     infra/Cargo.toml
    made     infra/src/main.rs
    made     shared/app/Cargo.toml
    made     shared/app/src/daily_report.rs
    made     shared/app/src/greet.rs
    made     shared/app/src/lib.rs
    made     shared/app/src/user_joined.rs
    made     tests/Cargo.toml
    made     tests/src/lib.rs
    made     tests/tests/localstack.rs
    next     cd shop && make dev
    exit 0
    "#);
    let made = files(&folder.path().join("shop"));
    for (path, text) in &made {
        assert!(
            !text.contains("my_name") && !text.contains("my-name") && !text.contains("{package}"),
            "{path:?}: {text}"
        );
    }
    assert!(made[Path::new("Cargo.toml")].contains("app = \"shop\""));
}

#[test]
fn new_into_a_folder_that_is_full_is_refused_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/notes.txt"), "mine").unwrap();
    assert_snapshot!(call(&format!("new shop {}", from())).within(folder.path()).said(), @r#"
    error: shop is not empty (give another name; in a cargo workspace use `dacapo init`)
    exit 2
    "#);
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn new_with_a_name_that_aws_refuses_or_a_source_that_is_none_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(call("new My_Shop").within(folder.path()).said(), @r#"
    error: app "My_Shop" is not 1 to 20 characters of a-z, 0-9 and single hyphens, beginning with a letter (AWS's names begin with the app's; give another)
    exit 2
    "#);
    assert_snapshot!(call("new shop --from latest").within(folder.path()).said(), @r#"
    error: invalid value 'latest' for '--from <SOURCE>': allowed: path:FOLDER of a checkout, git:URL, git:URL#TAG, or a version such as 0.1.0

    For more information, try '--help'.
    exit 2
    "#);
    assert_snapshot!(call("new shop --from path:/").within(folder.path()).said(), @r#"
    error: invalid value 'path:/' for '--from <SOURCE>': "/" is no checkout of Dacapo (expected shared/sdk/Cargo.toml in it)

    For more information, try '--help'.
    exit 2
    "#);
    assert_eq!(files(folder.path()).len(), 0);
}

#[test]
fn init_adds_what_is_missing_keeps_what_is_there_and_changes_nothing_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let mine = "# Mine.\n[workspace]\nmembers = [\"tools/*\"] # ours\n\n[workspace.package]\nedition = \"2024\"\n\n\
                [workspace.dependencies]\nserde = \"1.0.200\" # pinned\n";
    fs::write(folder.path().join("Cargo.toml"), mine).unwrap();
    fs::write(folder.path().join("Makefile"), "mine:\n").unwrap();
    let init = || call(&format!("init --app shop --json {}", from())).within(folder.path()).said().json();
    let first = init();
    assert_eq!(first["kept"], serde_json::json!(["Makefile"]));
    assert_eq!(first["changed"], serde_json::json!(["Cargo.toml"]));
    let made = files(folder.path());
    let cargo = &made[Path::new("Cargo.toml")];
    for kept in ["# Mine.\n", "\"tools/*\"", "# ours", "serde = \"1.0.200\" # pinned\n"] {
        assert!(cargo.contains(kept), "{cargo}");
    }
    for added in ["\"functions/*\"", "app = \"shop\"", "dacapo-serve = { path", "[profile.function]"] {
        assert!(cargo.contains(added), "{cargo}");
    }
    assert_eq!(made[Path::new("Makefile")], "mine:\n");
    let infra = &made[Path::new("infra/Cargo.toml")];
    assert!(infra.contains("version = \"0.1.0\"\nedition.workspace = true\n"), "{infra}");

    let second = init();
    assert_eq!((&second["made"], &second["changed"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(files(folder.path()), made);
    done(&call("add task resize").within(folder.path()).said());
}

#[test]
fn dry_run_names_each_file_and_writes_none() {
    let folder = tempfile::tempdir().unwrap();
    let new = |options: &str| call(&format!("new shop {options} {}", from())).within(folder.path()).said();
    let would = new("--dry-run");
    done(&would);
    assert!(would.out.starts_with("make     .github/workflows/dacapo.yml\nmake     .gitignore\n"), "{would}");
    assert!(would.out.ends_with("\nnothing was written (without --dry-run it is)\n"), "{would}");
    assert_eq!(files(folder.path()).len(), 0);

    done(&new(""));
    let before = files(folder.path());
    let init = format!("init --app shop {}", from());
    for line in ["add task resize", "add event order.placed", "add schedule weekly-report", &init] {
        let would = call(&format!("{line} --dry-run --json")).within(&folder.path().join("shop")).said().json();
        assert_eq!(would["isWritten"], false, "{line}: {would}");
    }
    assert_eq!(files(folder.path()), before);
}

#[test]
fn init_where_no_workspace_is_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let said = call(&format!("init --app shop {}", from())).within(folder.path()).said();
    assert!(said.code == 2 && said.err.contains("Cargo.toml"), "{said}");
    fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"alone\"\n").unwrap();
    assert_snapshot!(call(&format!("init --app shop {}", from())).within(folder.path()).said(), @r#"
    error: Cargo.toml is no workspace's (add a line [workspace] to it)
    exit 2
    "#);
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn function_added_in_the_layout_of_this_repository_inherits_what_the_workspace_says() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["Cargo.toml", ".rustfmt.toml", "shared/app/src/lib.rs", "functions/send-welcome/Cargo.toml"] {
        copy(file, folder.path());
    }
    let before = files(folder.path());
    assert_snapshot!(call("add event order.placed").within(folder.path()).said(), @r#"
    made     functions/order-placed/Cargo.toml
    made     functions/order-placed/src/lib.rs
    made     functions/order-placed/src/main.rs
    made     functions/order-placed/tests/deliveries.rs
    made     shared/app/src/order_placed.rs
    changed  shared/app/src/lib.rs
    next     cargo test --no-default-features -p order-placed
    exit 0
    "#);
    let mut after = files(folder.path());
    let cargo = after.remove(Path::new("functions/order-placed/Cargo.toml")).unwrap();
    let sample = &before[Path::new("functions/send-welcome/Cargo.toml")];
    let after_the_description =
        |cargo: &str| cargo.split_once("\"\nversion").unwrap().1.replace("make build", "make deploy");
    assert_eq!(after_the_description(&cargo), after_the_description(sample));
    let app = after.remove(Path::new("shared/app/src/lib.rs")).unwrap();
    assert_eq!(app, before[Path::new("shared/app/src/lib.rs")].clone() + "\npub mod order_placed;\n");
    assert_eq!(after[Path::new("Cargo.toml")], before[Path::new("Cargo.toml")]);
}

#[test]
fn function_that_is_there_or_can_not_be_named_so_is_refused_and_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["Cargo.toml", "shared/app/src/lib.rs", "functions/send-welcome/Cargo.toml"] {
        copy(file, folder.path());
    }
    let before = files(folder.path());
    let refused = |line: &str| call(line).within(folder.path()).said();
    assert_snapshot!(refused("add task 'Send Welcome'"), @r#"
    error: functions/send-welcome is there already (give another name; nothing was changed)
    exit 2
    "#);
    assert_snapshot!(refused("add schedule match"), @r#"
    error: "match" would make a crate "match", which is a word of Rust's or a crate of every app (give another name)
    exit 2
    "#);
    assert_snapshot!(refused("add event task.failed"), @r#"
    error: event name "task.failed" begins with `task.`, which is reserved for lifecycle events (choose another first word)
    exit 2
    "#);
    assert_eq!(refused("add task ''").code, 2);
    assert_eq!(files(folder.path()), before);
}

#[test]
fn workspace_that_new_makes_is_as_the_guide_says() {
    let folder = tempfile::tempdir().unwrap();
    done(&call(&format!("new shop {}", from())).within(folder.path()).said());
    let made = files(&folder.path().join("shop"));
    let has = |path: &str, words: &[&str]| {
        let text = &made[Path::new(path)];
        words.iter().for_each(|word| assert!(text.contains(word), "{path} has no {word:?}: {text}"));
        text.lines().filter(|line| !line.is_empty() && !line.starts_with("//")).count()
    };
    assert_eq!(has("infra/src/main.rs", &["dacapo_infra::main()"]), 3);
    assert_eq!(has("functions/conductor/src/main.rs", &["dacapo_serve::conductor()"]), 3);
    has("functions/greet/src/lib.rs", &["task(GREET"]);
    has("functions/user-joined/src/lib.rs", &["on(USER_JOINED"]);
    has("functions/daily-report/src/lib.rs", &[".schedule("]);
    has(
        "shared/app/src/lib.rs",
        &["pub mod daily_report;", "pub mod greet;", "pub mod user_joined;", "pub fn hooks()"],
    );
    has("tests/tests/localstack.rs", &["AWS_ENDPOINT_URL", "skipped"]);
    let chapter = include_str!("../../../sdk/src/guide/project.md");
    let targets = chapter.lines().filter_map(|line| line.strip_prefix("| `make ")?.split(['`', ' ']).next());
    for target in targets {
        has("Makefile", &[&format!("\n{target}:")]);
    }
    let dry = |target: &str, word: &str| {
        let mut make = Command::new("make");
        make.args(["--dry-run", target])
            .current_dir(folder.path().join("shop"))
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL");
        let said = String::from_utf8(make.output().unwrap().stdout).unwrap();
        assert!(said.contains(word), "make {target}: {said}");
    };
    dry("dev", "dacapo dev");
    dry("localstack", "--package infra -- localstack");
}

#[test]
fn function_is_added_to_a_template_that_is_committed_by_make_which_says_where_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["Cargo.toml", "shared/app/src/lib.rs", "functions/send-welcome/Cargo.toml", "infra/template.json"] {
        copy(file, folder.path());
    }
    for (does, task, code) in [("touch made", "one", 0), ("false", "two", 1)] {
        fs::write(folder.path().join("Makefile"), format!("template:\n\t{does}\n")).unwrap();
        let said = call(&format!("add task {task}")).within(folder.path()).said();
        assert_eq!((said.code, said.err.contains("make template")), (code, true), "{said}");
        assert!(folder.path().join("made").is_file() && folder.path().join("functions").join(task).is_dir());
    }
}
