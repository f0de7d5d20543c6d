//! Accessibility, as `axe-core` finds it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    chromium::{Chromium, Site, on_path},
    sample,
};

/// The version of `axe-core`, which npm brings.
const VERSION: &str = "4.14.1";

/// npm's program.
pub fn npm() -> Option<PathBuf> {
    on_path(&["npm"])
}

/// The script, fetched once; nothing where it can't be reached.
fn script() -> Option<String> {
    let program = env::current_exe().ok()?;
    let folder = program.ancestors().nth(3)?.join(format!("axe-core-{VERSION}"));
    let file = folder.join("node_modules/axe-core/axe.min.js");
    if !file.exists() && !install(&folder) {
        return None;
    }
    fs::read_to_string(file).ok()
}

fn install(folder: &Path) -> bool {
    fs::create_dir_all(folder).unwrap();
    let arguments = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--prefix"];
    let mut npm = Command::new(npm().unwrap());
    let npm = npm.args(arguments).arg(folder).arg(format!("axe-core@{VERSION}")).stdin(Stdio::null());
    npm.output().is_ok_and(|output| output.status.success())
}

pub async fn every_page_passes_axe_in_both_colours_and_widths() {
    let Some(script) = script() else {
        eprintln!("not run: npm can't fetch axe-core {VERSION}, so nothing is said of accessibility");
        return;
    };
    let (app, paths) = sample::day().await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/").await;
    let mut found = vec![];
    for (width, colours) in [(1200, "light"), (390, "dark")] {
        tab.looks_like(width, 900, colours).await;
        for path in &paths {
            tab.go(path).await;
            tab.value::<()>("document.querySelectorAll('details').forEach((it) => (it.open = true))").await;
            tab.value::<()>(&format!("{script}; null")).await;
            let run = "axe.run().then((it) => it.violations.flatMap((rule) => \
                       rule.nodes.map((node) => `${rule.id}: ${node.html} ${node.failureSummary}`)))";
            let violations: Vec<String> = tab.value(run).await.unwrap();
            found.extend(violations.into_iter().map(|it| format!("{path} at {width}, {colours}: {it}")));
        }
    }
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}
