//! The functions' sources, binaries and variables, watched: a change is told once nothing changes any more.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::variables::DOT_ENV;

/// The time without a change after which what has changed is complete: an editor saves several files, cargo writes more.
const QUIET: Duration = Duration::from_millis(200);

/// A watch over an app's workspace.
pub struct Watch {
    watcher: RecommendedWatcher,
    changes: UnboundedReceiver<PathBuf>,
    root: PathBuf,
    target: PathBuf,
}

/// The change that was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Is true where a source has, as opposed to a binary or the file of variables alone.
    pub sources: bool,
}

impl Watch {
    /// A watch over the workspace at `root` that builds in `target`; of its packages nothing is watched yet.
    ///
    /// # Errors
    /// If the system can't watch files.
    pub fn new(root: &Path, target: &Path) -> notify::Result<Self> {
        let (tell, changes) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let event = event.ok().filter(|event| !event.kind.is_access());
            for path in event.into_iter().flat_map(|event| event.paths) {
                // Nobody listens any more where the command ends.
                let _ = tell.send(path);
            }
        })?;
        let mut watch = Self { watcher, changes, root: root.to_owned(), target: target.to_owned() };
        watch.watcher.watch(root, RecursiveMode::NonRecursive)?;
        // A function's folder may be made before it is a package.
        watch.watcher.watch(&root.join("functions"), RecursiveMode::Recursive)?;
        Ok(watch)
    }

    /// Watches the binaries, and these packages' folders: all that is in them but the target folder and hidden files.
    ///
    /// # Errors
    /// If the system can't watch as many files.
    pub fn over(&mut self, packages: &BTreeSet<PathBuf>) -> notify::Result<()> {
        let binaries = self.target.join("debug");
        if binaries.is_dir() {
            self.watcher.watch(&binaries, RecursiveMode::NonRecursive)?;
        }
        for package in packages {
            self.watcher.watch(package, RecursiveMode::NonRecursive)?;
            for child in fs::read_dir(package)?.flatten().map(|child| child.path()) {
                if child.is_dir() && self.is_source(&child) {
                    self.watcher.watch(&child, RecursiveMode::Recursive)?;
                }
            }
        }
        Ok(())
    }

    /// Waits until something has changed, and for as long as it goes on changing.
    pub async fn changed(&mut self) -> Changed {
        let mut changed = None::<Changed>;
        loop {
            let next = match changed {
                None => self.changes.recv().await,
                Some(changed) => match tokio::time::timeout(QUIET, self.changes.recv()).await {
                    Ok(next) => next,
                    Err(_) => return changed,
                },
            };
            // The watcher, which holds the other end, lives as long as this.
            let Some(path) = next else { return std::future::pending().await };
            if self.is_source(&path) {
                changed.get_or_insert_default().sources = true;
            } else if path.parent() == Some(&self.target.join("debug")) || path == self.root.join(DOT_ENV) {
                changed.get_or_insert_default();
            }
        }
    }

    /// Is true of what cargo may build from. A program may write its files at the workspace's top.
    fn is_source(&self, path: &Path) -> bool {
        if path.parent() == Some(&self.root) && !path.is_dir() {
            return path.file_name().is_some_and(|name| name == "Cargo.toml" || name == "Cargo.lock");
        }
        let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        !is_hidden && !path.starts_with(&self.target)
    }
}
