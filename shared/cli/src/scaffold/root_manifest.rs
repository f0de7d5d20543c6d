//! The workspace's own Cargo.toml, read, and completed without a change to what it says.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

use super::source::Source;
use crate::failure::{CliError, CliResult};

/// The path from the top.
pub const FILE: &str = "Cargo.toml";

/// The settings that members take from the workspace where it says them, and their own otherwise.
const INHERITED: [(&str, &str); 5] = [
    ("version", "version = \"0.1.0\""),
    ("edition", "edition = \"2024\""),
    ("rust-version", ""),
    ("license", ""),
    ("publish", "publish = false"),
];

/// Dacapo's crates and their folders, and whether their default features are left out.
const OURS: [(&str, &str, bool); 5] = [
    ("dacapo", "shared/sdk", false),
    ("dacapo-client", "shared/client", true),
    ("dacapo-infra", "infra", false),
    ("dacapo-serve", "shared/serve", true),
    ("dacapo-test-kit", "shared/test-kit", false),
];

/// The settings of the profile that functions are built with for Lambda: loaded at each cold start, so small before fast.
const FUNCTION: &str = r#"inherits = "release"
opt-level = "z"
codegen-units = 1
lto = "fat"
panic = "unwind"
strip = true
"#;

/// The manifest of a workspace.
pub struct RootManifest(DocumentMut);

impl RootManifest {
    /// Reads it.
    ///
    /// # Errors
    /// As usage, if it is no TOML, or no workspace's.
    pub fn read(text: &str) -> CliResult<Self> {
        let manifest: DocumentMut =
            text.parse().map_err(|error| CliError::usage(format!("failed to read Cargo.toml: {error}")))?;
        let Some(workspace) = manifest.get("workspace").and_then(Item::as_table) else {
            return Err(CliError::usage("Cargo.toml is no workspace's (add a line [workspace] to it)"));
        };
        match workspace.get("members") {
            Some(other) if !other.is_array() => {
                let why = "in Cargo.toml `members` of [workspace] is no list (write one, as members = [\"tools/*\"])";
                Err(CliError::usage(why))
            }
            _ => Ok(Self(manifest)),
        }
    }

    /// The edition of its members.
    pub fn edition(&self) -> &str {
        self.package().and_then(|package| package.get("edition")?.as_str()).unwrap_or("2024")
    }

    /// A member's `Cargo.toml`: version, edition and lints are the workspace's where that says them.
    pub fn member(&self, template: &str) -> String {
        let lines = INHERITED.map(|(key, otherwise)| match self.package().is_some_and(|it| it.contains_key(key)) {
            true => format!("{key}.workspace = true\n"),
            false => format!("{otherwise}\n"),
        });
        let lints = self.0["workspace"].get("lints").map_or("", |_| "\n[lints]\nworkspace = true\n");
        let package: String = lines.into_iter().filter(|line| line != "\n").collect();
        template.replace("{package}\n", &package).replace("{lints}\n", lints)
    }

    /// Adds the members that no pattern covers.
    pub fn add_members(&mut self, members: &[&str]) {
        let known = self.0["workspace"].get("members").and_then(Item::as_array).cloned().unwrap_or_default();
        let covers = |pattern: &str, member: &str| {
            let folder = member.rsplit_once('/').map_or("", |(folder, _)| folder);
            pattern == member || pattern.strip_suffix("/*") == Some(folder)
        };
        let is_covered = |member: &str| known.iter().filter_map(Value::as_str).any(|pattern| covers(pattern, member));
        let missing: Vec<&&str> = members.iter().filter(|member| !is_covered(member)).collect();
        if missing.is_empty() {
            return;
        }
        let list = self.0["workspace"]["members"].or_insert(Array::new().into());
        if let Some(list) = list.as_array_mut() {
            missing.into_iter().for_each(|member| list.push(*member));
        }
    }

    /// Adds what an app needs and the manifest doesn't say: its name, the crates, the profile of its functions.
    ///
    /// # Errors
    /// As usage, if something stands in the place of a table.
    pub fn complete(&mut self, app: &str, source: &Source) -> CliResult<()> {
        let workspace = table(self.0.as_table_mut(), "workspace")?;
        let metadata = table(table(workspace, "metadata")?, "dacapo")?;
        metadata.entry("app").or_insert(Value::from(app).into());
        let dependencies = table(workspace, "dependencies")?;
        for (name, folder, is_bare) in OURS {
            let mut dependency = source.dependency(folder);
            if is_bare {
                dependency.insert("default-features", false.into());
            }
            dependencies.entry(name).or_insert(Value::from(dependency).into());
        }
        let mut app = toml_edit::InlineTable::new();
        app.insert("path", "shared/app".into());
        dependencies.entry("app").or_insert(Value::from(app).into());
        dependencies.entry("serde").or_insert(Value::from("1").into());
        dependencies.entry("tokio").or_insert(Value::from("1").into());
        let profiles = table(self.0.as_table_mut(), "profile")?;
        if !profiles.contains_key("function") {
            let settings: DocumentMut = FUNCTION.parse().unwrap_or_default();
            profiles.insert("function", Item::Table(settings.as_table().clone()));
        }
        Ok(())
    }

    /// The text.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    fn package(&self) -> Option<&dyn TableLike> {
        self.0["workspace"].get("package")?.as_table_like()
    }
}

/// The table of this name, made where it is missing: without a heading of its own, unless it holds more than tables.
fn table<'a>(parent: &'a mut dyn TableLike, name: &str) -> CliResult<&'a mut dyn TableLike> {
    let mut made = Table::new();
    made.set_implicit(true);
    parent
        .entry(name)
        .or_insert(Item::Table(made))
        .as_table_like_mut()
        .ok_or_else(|| CliError::usage(format!("Cargo.toml: {name} is no table")))
}
