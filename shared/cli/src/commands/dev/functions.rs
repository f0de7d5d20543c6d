//! The functions that run: chosen, built, described, and so again each time their sources, binaries or variables
//! change.

use std::{collections::BTreeSet, fs, path::Path, time::SystemTime};

use dacapo_domain::Manifest;
use dacapo_local::DevFunction;

use super::{
    build::{Metadata, Package, Profile, build, describe},
    variables::DOT_ENV,
    watch::Watch,
};
use crate::{
    failure::{CliError, CliResult, suggestion},
    output::Output,
};

/// A manifest, and the binaries of its functions.
type Described = (Manifest, Vec<DevFunction>);

/// The functions of a workspace that were asked for.
pub struct Functions<'a> {
    root: &'a Path,
    app: &'a str,
    /// The crates that were asked for; all, where none is named.
    asked: Vec<String>,
    profile: Profile,
    builds: bool,
    output: &'a Output,
    metadata: Metadata,
    watch: Option<Watch>,
    /// The description that is in force.
    known: Option<Described>,
    /// The times at which its binaries and variables were written.
    written: Vec<Option<SystemTime>>,
}

impl<'a> Functions<'a> {
    /// The functions of these crates, in release or not, built unless their binaries are to be taken as they are.
    ///
    /// # Errors
    /// If there are none, or they don't build.
    pub async fn new(
        root: &'a Path,
        app: &'a str,
        asked: Vec<String>,
        release: bool,
        builds: bool,
        output: &'a Output,
    ) -> CliResult<Self> {
        let profile = if release { Profile::Release } else { Profile::Debug };
        let metadata = Metadata::of(root, profile).await?;
        // From here on nothing that changes is missed.
        let watch = Watch::new(root, &metadata.target_directory).inspect_err(|error| unwatched(output, error)).ok();
        let (known, written) = (None, vec![]);
        let mut functions = Self { root, app, asked, profile, builds, output, metadata, watch, known, written };
        functions.watch();
        if builds {
            build(root, profile, &functions.packages()?).await?;
        }
        functions.watch();
        Ok(functions)
    }

    /// Is true where they are not all of the workspace's.
    pub fn are_part(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Asks them what they are.
    ///
    /// # Errors
    /// If one can't be run or tells of problems, or two have one name.
    pub async fn describe(&mut self) -> CliResult<Described> {
        let written = self.written_at();
        let described = describe(self.app, self.root, &self.metadata, &self.packages()?).await?;
        (self.known, self.written) = (Some(described.clone()), written);
        Ok(described)
    }

    /// Waits until they have changed, have been built, and say something else of themselves or are given other
    /// variables. Of those that can't be built or described it says why, and waits on: what was known of them stays in
    /// force.
    pub async fn changed(&mut self) -> Described {
        loop {
            let Some(watch) = &mut self.watch else { return std::future::pending().await };
            let changed = watch.changed().await;
            let known = self.known.clone();
            match self.again(changed.sources && self.builds).await {
                Ok(Some(described)) if Some(&described) != known.as_ref() => return described,
                Ok(_) => {}
                Err(failure) => self.output.note(&failure.message),
            }
        }
    }

    async fn again(&mut self, builds: bool) -> CliResult<Option<Described>> {
        if builds {
            self.metadata = Metadata::of(self.root, self.profile).await?;
            self.watch();
            build(self.root, self.profile, &self.packages()?).await?;
        }
        if self.written == self.written_at() { Ok(None) } else { self.describe().await.map(Some) }
    }

    /// The packages that were asked for.
    fn packages(&self) -> CliResult<Vec<&Package>> {
        let all = self.metadata.functions(self.root);
        let known: Vec<&str> = all.iter().map(|package| &*package.name).collect();
        if let Some(unknown) = self.asked.iter().find(|name| !known.contains(&name.as_str())) {
            let hint = suggestion(unknown, &known);
            return Err(CliError::not_found(format!("no function's crate is named {unknown:?}{hint}")));
        }
        let chosen = |package: &&Package| self.asked.is_empty() || self.asked.contains(&package.name);
        let chosen: Vec<&Package> = all.into_iter().filter(chosen).collect();
        match chosen.is_empty() {
            true => Err(CliError::usage("the workspace has no functions (add a crate with a binary in functions/)")),
            false => Ok(chosen),
        }
    }

    /// The times at which the binaries, and the file of variables, were written.
    fn written_at(&self) -> Vec<Option<SystemTime>> {
        let binaries = self.packages().unwrap_or_default().into_iter().filter_map(Package::binary);
        let files = binaries.map(|name| self.metadata.file(name)).chain([self.root.join(DOT_ENV)]);
        files.map(|file| fs::metadata(file).and_then(|file| file.modified()).ok()).collect()
    }

    fn watch(&mut self) {
        let Ok(packages) = self.packages() else { return };
        let folders = if self.builds { self.metadata.folders(&packages) } else { BTreeSet::new() };
        if let Some(watch) = &mut self.watch
            && let Err(error) = watch.over(&folders)
        {
            unwatched(self.output, &error);
        }
    }
}

fn unwatched(output: &Output, error: &notify::Error) {
    output.note(&format!("failed to watch all sources: {error} (what is changed unseen is served after a new start)"));
}
