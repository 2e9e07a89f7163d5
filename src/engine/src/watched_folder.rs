//! Watches a folder whose path may contain links, which may be redirected to another folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// Maximum number of links that are followed; more are a circle.
const LINKS_MAX: usize = 40;

/// The folder that a path led to, distinguishable from another one that takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    real: PathBuf,
    #[cfg(unix)]
    id: (u64, u64),
}

/// A watched folder with its content, and the links on the way to it.
pub(crate) struct WatchedFolder {
    given: PathBuf,
    place: Place,
    /// Folders that contain a link on the way, or the folder itself.
    ///
    /// A change in them may mean that the path leads elsewhere.
    on_the_way: BTreeSet<PathBuf>,
    watcher: RecommendedWatcher,
}

impl WatchedFolder {
    /// Starts to watch.
    ///
    /// # Errors
    /// A sentence, if the folder cannot be watched.
    pub(crate) fn begin(given: &Path, watcher: RecommendedWatcher) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot watch {}: {error}", given.display());
        let given = std::path::absolute(given).map_err(|error| failed(&error))?;
        let place = Place::of(&given).map_err(|error| failed(&error))?;
        let mut folder = Self { given, place, on_the_way: BTreeSet::new(), watcher };
        folder.watcher.watch(&folder.place.real, RecursiveMode::Recursive).map_err(|error| failed(&error))?;
        folder.watch_the_way();
        Ok(folder)
    }

    /// Returns the path of the folder itself, without links.
    pub(crate) fn path(&self) -> &Path {
        &self.place.real
    }

    /// Finds out where the path leads now, and watches that. Returns whether it is another folder.
    pub(crate) fn follow(&mut self) -> bool {
        // While a link is being replaced, there may be none for a moment.
        let Ok(place) = Place::of(&self.given) else { return false };
        if place == self.place {
            return false;
        }
        // The old folder may be gone already.
        drop(self.watcher.unwatch(&self.place.real));
        if let Err(error) = self.watcher.watch(&place.real, RecursiveMode::Recursive) {
            tracing::error!("cannot watch {}: {error}", place.real.display());
        }
        self.place = place;
        self.watch_the_way();
        true
    }

    fn watch_the_way(&mut self) {
        let wanted = way_to(&self.given, &self.place.real);
        for gone in self.on_the_way.difference(&wanted) {
            drop(self.watcher.unwatch(gone));
        }
        for new in wanted.difference(&self.on_the_way) {
            // Without this watch, a redirected link is noticed only at the next change of a script.
            if let Err(error) = self.watcher.watch(new, RecursiveMode::NonRecursive) {
                tracing::warn!("cannot watch {}: {error}", new.display());
            }
        }
        self.on_the_way = wanted;
    }
}

impl Place {
    fn of(path: &Path) -> std::io::Result<Self> {
        let real = path.canonicalize()?;
        #[cfg(unix)]
        let id = {
            use std::os::unix::fs::MetadataExt;
            let metadata = real.metadata()?;
            (metadata.dev(), metadata.ino())
        };
        Ok(Self {
            real,
            #[cfg(unix)]
            id,
        })
    }
}

/// Returns the folders in which a change may redirect `given`.
fn way_to(given: &Path, real: &Path) -> BTreeSet<PathBuf> {
    let mut found: BTreeSet<PathBuf> = real.parent().map(Path::to_owned).into_iter().collect();
    let mut to_walk = vec![given.to_owned()];
    for _ in 0..LINKS_MAX {
        let Some(path) = to_walk.pop() else { break };
        let mut walked = PathBuf::new();
        for part in path.components() {
            walked.push(part);
            if let Ok(target) = std::fs::read_link(&walked)
                && let Some(parent) = walked.parent()
            {
                found.insert(parent.canonicalize().unwrap_or_else(|_| parent.to_owned()));
                to_walk.push(parent.join(target));
            }
        }
    }
    found.retain(|folder| !folder.starts_with(real));
    found
}
