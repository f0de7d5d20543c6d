//! A plan of files: made where nothing is, changed where a line is missing, and written when all is known to be right.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Serialize;

use super::root_manifest::{FILE, RootManifest};
use crate::failure::{CliError, CliResult};

/// The files that are to be, by their paths from the top of the workspace.
#[derive(Debug)]
pub struct Plan {
    root: PathBuf,
    made: BTreeMap<String, String>,
    changed: BTreeMap<String, String>,
    kept: Vec<String>,
}

/// The files that were written, or would be, and those that were there and stay as they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    is_written: bool,
    made: Vec<String>,
    changed: Vec<String>,
    kept: Vec<String>,
}

impl Plan {
    /// No file yet.
    pub const fn new(root: PathBuf) -> Self {
        Self { root, made: BTreeMap::new(), changed: BTreeMap::new(), kept: Vec::new() }
    }

    /// The text of a file as it will be.
    ///
    /// # Errors
    /// If there is none that can be read.
    pub fn text(&self, path: &str) -> CliResult<String> {
        if let Some(text) = self.made.get(path).or_else(|| self.changed.get(path)) {
            return Ok(text.clone());
        }
        let file = self.root.join(path);
        fs::read_to_string(&file)
            .map_err(|error| CliError::usage(format!("failed to read {}: {error}", file.display())))
    }

    /// Is true where a file is, or will be.
    pub fn has(&self, path: &str) -> bool {
        self.made.contains_key(path) || self.root.join(path).symlink_metadata().is_ok()
    }

    /// Makes a file.
    ///
    /// # Errors
    /// As usage, if it is there already.
    pub fn make(&mut self, path: &str, text: String) -> CliResult<()> {
        if self.has(path) {
            let file = self.root.join(path);
            return Err(CliError::usage(format!("{} is there already (nothing was changed)", file.display())));
        }
        self.made.insert(path.to_owned(), text);
        Ok(())
    }

    /// Makes a file, unless it is there: then it stays as it is.
    pub fn make_if_missing(&mut self, path: &str, text: String) {
        if self.make(path, text).is_err() {
            self.kept.push(path.to_owned());
        }
    }

    /// Gives a file another text.
    pub fn change(&mut self, path: &str, text: String) {
        if let Some(made) = self.made.get_mut(path) {
            *made = text;
        } else if self.text(path).map_or(true, |former| former != text) {
            self.changed.insert(path.to_owned(), text);
        }
    }

    /// Writes all of it. Rust is formatted as the workspace has it, where rustfmt is installed.
    ///
    /// # Errors
    /// If a file can't be written, or has come to be meanwhile.
    pub fn write(self) -> CliResult<Written> {
        let edition = RootManifest::read(&self.text(FILE)?)?.edition().to_owned();
        for (path, text) in &self.made {
            let file = self.root.join(path);
            file.parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::OpenOptions::new().write(true).create_new(true).open(&file))
                .and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|error| unwritten(&file, &error))?;
        }
        for (path, text) in &self.changed {
            let file = self.root.join(path);
            fs::write(&file, text).map_err(|error| unwritten(&file, &error))?;
        }
        self.format(&edition);
        Ok(self.told(true))
    }

    /// Says what would be written, and writes nothing.
    pub fn would(self) -> Written {
        self.told(false)
    }

    fn told(self, is_written: bool) -> Written {
        let names = |files: BTreeMap<String, String>| files.into_keys().collect();
        Written { is_written, made: names(self.made), changed: names(self.changed), kept: self.kept }
    }

    fn format(&self, edition: &str) {
        let rust = self.made.keys().filter(|path| path.ends_with(".rs"));
        // Without rustfmt there is no `make check` either that would mind.
        let _ =
            Command::new("rustfmt").args(["--quiet", "--edition", edition]).args(rust).current_dir(&self.root).output();
    }
}

impl Written {
    /// A line for each file, and one for what to do next.
    pub fn text(&self, next: &str) -> String {
        let lines = |what: &'static str, files: &[String]| -> String {
            files.iter().map(|file| format!("{what:<8} {file}\n")).collect()
        };
        let words = if self.is_written { ["made", "changed", "kept"] } else { ["make", "change", "keep"] };
        let files = [lines(words[0], &self.made), lines(words[1], &self.changed), lines(words[2], &self.kept)].concat();
        match self.is_written {
            true => format!("{files}next     {next}"),
            false => format!("{files}nothing was written (without --dry-run it is)"),
        }
    }
}

fn unwritten(file: &Path, error: &std::io::Error) -> CliError {
    CliError::failed(format!("failed to write {}: {error}", file.display()))
}
