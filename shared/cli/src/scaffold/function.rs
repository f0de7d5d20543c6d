//! A function of its own crate, out of a template: its names in `shared/app`, its code and its test.

use super::{
    name::Name,
    plan::Plan,
    root_manifest::{FILE, RootManifest},
};
use crate::failure::{CliError, CliResult};

const MANIFEST: &str = include_str!("../../templates/function.Cargo.toml.txt");
const MAIN: &str = include_str!("../../templates/main.rs");
/// The library of what functions share, where each function's names are a module.
const APP: &str = "shared/app/src/lib.rs";

/// The kind of a function.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A task.
    Task,
    /// A handler of an event.
    Event,
    /// A task that a schedule starts.
    Schedule,
}

/// The texts of a function of one kind.
struct Templates {
    description: &'static str,
    names: &'static str,
    lib: &'static str,
    test: (&'static str, &'static str),
}

impl Kind {
    const fn templates(self) -> Templates {
        match self {
            Self::Task => Templates {
                description: "The task my-name.",
                names: include_str!("../../templates/task/names.rs"),
                lib: include_str!("../../templates/task/src/lib.rs"),
                test: ("tests/runs.rs", include_str!("../../templates/task/tests/runs.rs")),
            },
            Self::Event => Templates {
                description: "What follows the event my-name.",
                names: include_str!("../../templates/event/names.rs"),
                lib: include_str!("../../templates/event/src/lib.rs"),
                test: ("tests/deliveries.rs", include_str!("../../templates/event/tests/deliveries.rs")),
            },
            Self::Schedule => Templates {
                description: "The task my-name and its schedule.",
                names: include_str!("../../templates/schedule/names.rs"),
                lib: include_str!("../../templates/schedule/src/lib.rs"),
                test: ("tests/fires.rs", include_str!("../../templates/schedule/tests/fires.rs")),
            },
        }
    }
}

/// Plans a function.
///
/// # Errors
/// As usage, if a file of it is there already, or the workspace has no `shared/app`.
pub fn add_function(plan: &mut Plan, kind: Kind, name: &Name) -> CliResult<()> {
    let mut manifest = RootManifest::read(&plan.text(FILE)?)?;
    let folder = format!("functions/{}", name.slug);
    if plan.has(&folder) {
        return Err(CliError::usage(format!("{folder} is there already (give another name; nothing was changed)")));
    }
    if !plan.has(APP) {
        return Err(CliError::usage(format!("there is no {APP}, which functions share (call `dacapo init` first)")));
    }
    let templates = kind.templates();
    let cargo = manifest.member(&MANIFEST.replace("{description}", templates.description));
    plan.make(&format!("{folder}/Cargo.toml"), name.put_into(&cargo))?;
    plan.make(&format!("{folder}/src/main.rs"), name.put_into(MAIN))?;
    plan.make(&format!("{folder}/src/lib.rs"), name.put_into(templates.lib))?;
    let (file, test) = templates.test;
    plan.make(&format!("{folder}/{file}"), name.put_into(test))?;
    plan.make(&format!("shared/app/src/{}.rs", name.module), name.put_into(templates.names))?;
    plan.change(APP, with_module(&plan.text(APP)?, &name.module));
    manifest.add_members(&[&folder]);
    plan.change(FILE, manifest.text());
    Ok(())
}

/// A library with one more module, among the others in their order, which rustfmt wants.
fn with_module(library: &str, module: &str) -> String {
    let line = format!("pub mod {module};");
    let mut lines: Vec<&str> = library.lines().collect();
    let is_module = |line: &str| line.starts_with("pub mod ") && line.ends_with(';');
    let later = lines.iter().position(|other| is_module(other) && **other > *line);
    match later.or_else(|| Some(lines.iter().rposition(|line| is_module(line))? + 1)) {
        Some(at) => lines.insert(at, &line),
        None => lines.extend(["", &line]),
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::with_module;

    #[test]
    fn module_stands_among_the_others_in_their_order() {
        let first = with_module("//! Names.\n", "mail");
        assert_eq!(first, "//! Names.\n\npub mod mail;\n");
        let both = with_module(&with_module(&first, "album"), "zoo");
        assert_eq!(both, "//! Names.\n\npub mod album;\npub mod mail;\npub mod zoo;\n");
    }
}
