//! The workspace of an app: what every app has besides its functions.

use super::{
    plan::Plan,
    root_manifest::{FILE, RootManifest},
    source::Source,
};
use crate::failure::CliResult;

/// A file and its text.
type File = (&'static str, &'static str);

/// The files that a text is put into as it is, but for the app's name and where Dacapo comes from.
const TEXTS: [File; 4] = [
    ("Makefile", include_str!("../../templates/workspace/Makefile.txt")),
    ("README.md", include_str!("../../templates/workspace/README.md.txt")),
    (".gitignore", include_str!("../../templates/workspace/gitignore.txt")),
    (".github/workflows/dacapo.yml", include_str!("../../templates/workspace/github/workflows/dacapo.yml")),
];

/// The members, each with its manifest and its sources.
const MEMBERS: [(&str, &str, &[File]); 4] = [
    (
        "functions/conductor",
        include_str!("../../templates/workspace/functions/conductor/Cargo.toml.txt"),
        &[("src/main.rs", include_str!("../../templates/workspace/functions/conductor/src/main.rs"))],
    ),
    (
        "infra",
        include_str!("../../templates/workspace/infra/Cargo.toml.txt"),
        &[("src/main.rs", include_str!("../../templates/workspace/infra/src/main.rs"))],
    ),
    (
        "shared/app",
        include_str!("../../templates/workspace/shared/app/Cargo.toml.txt"),
        &[("src/lib.rs", include_str!("../../templates/workspace/shared/app/src/lib.rs"))],
    ),
    (
        "tests",
        include_str!("../../templates/workspace/tests/Cargo.toml.txt"),
        &[
            ("src/lib.rs", include_str!("../../templates/workspace/tests/src/lib.rs")),
            ("tests/localstack.rs", include_str!("../../templates/workspace/tests/tests/localstack.rs")),
        ],
    ),
];

/// Plans the manifest of a new workspace.
///
/// # Errors
/// As usage, if one is there.
pub fn skeleton(plan: &mut Plan) -> CliResult<()> {
    plan.make(FILE, include_str!("../../templates/workspace/Cargo.toml.txt").to_owned())
}

/// Plans what an app needs and the workspace doesn't have. A member whose manifest is there stays as it is, with all its
/// files.
///
/// # Errors
/// As usage, if the workspace can't be read.
pub fn add_missing(plan: &mut Plan, app: &str, source: &Source) -> CliResult<()> {
    let mut manifest = RootManifest::read(&plan.text(FILE)?)?;
    manifest.add_members(&["functions/*", "infra", "shared/app", "tests"]);
    manifest.complete(app, source)?;
    for (path, text) in TEXTS {
        plan.make_if_missing(path, text.replace("{app}", app).replace("{install}", &source.install()));
    }
    for (folder, cargo, sources) in MEMBERS {
        let cargo_toml = format!("{folder}/Cargo.toml");
        let is_there = plan.has(&cargo_toml);
        plan.make_if_missing(&cargo_toml, manifest.member(cargo));
        for (file, text) in sources.iter().filter(|_| !is_there) {
            plan.make_if_missing(&format!("{folder}/{file}"), (*text).to_owned());
        }
    }
    plan.change(FILE, manifest.text());
    Ok(())
}
