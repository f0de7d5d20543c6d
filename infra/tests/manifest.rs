//! The command that writes the manifest: what can't be deployed is refused, and the file that was there stays.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what fails ends the test")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use dacapo_domain::{FunctionEntry, Json, Policy, Schedule, ScheduleEntry, TaskEntry, cron, every};

/// A function's binary, as far as it describes itself.
fn binary(folder: &Path, schedule: Schedule) -> PathBuf {
    let schedules = vec![ScheduleEntry { name: "report-1".to_owned(), schedule, body: Json::default() }];
    let task = TaskEntry {
        name: "report".to_owned(),
        policy: Policy::default(),
        private: false,
        may_continue: true,
        schedules,
    };
    let entry = Json::of(&FunctionEntry::task("report", 128, task)).unwrap();
    let path = folder.join("report");
    fs::write(&path, format!("#!/bin/sh\ncat <<'END'\n{}\nEND\n", entry.text())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[test]
fn manifest_with_a_schedule_that_never_fires_again_is_refused_and_the_former_one_stays() {
    let folder = std::env::temp_dir().join(format!("dacapo-infra-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let out = folder.join("manifest.json");
    let write = |schedule| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo-infra"));
        command.args(["manifest", "--app", "shop", "--out"]).arg(&out).arg(binary(&folder, schedule));
        let said = command.output().unwrap();
        (said.status.success(), String::from_utf8(said.stderr).unwrap())
    };
    assert_eq!(write(every("1 hour")), (true, String::new()));
    let former = fs::read_to_string(&out).unwrap();

    let (is_written, said) = write(cron("0 0 1 1 ? 1999"));
    assert!(
        !is_written
            && said.starts_with("error: task \"report\": schedule \"0 0 1 1 ? 1999\" in UTC: it never fires after 20"),
        "{said}"
    );
    let (is_written, said) = write(cron("0 0 30 2 ? *"));
    assert!(!is_written && said.ends_with("it never fires (check day, month and year)\n"), "{said}");
    assert_eq!(fs::read_to_string(&out).unwrap(), former);
    fs::remove_dir_all(&folder).unwrap();
}
