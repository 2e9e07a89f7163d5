//! Reload on save: watches the folder of the scripts and activates changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::EventKind;
use notify::event::ModifyKind;
use palabre_platform::Shutdown;
use palabre_script::{BUILT_IN, Source, SourceError};
use palabre_types::ScriptName;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::engine::Engine;
use crate::engine::options::ScriptSetup;
use crate::watched_folder::WatchedFolder;

/// Quiet time that ends a change: editors save in several steps.
const QUIET_TIME: Duration = Duration::from_millis(30);
/// Maximum wait for quiet, in a folder that is never quiet.
const QUIET_WAIT_MAX: Duration = Duration::from_millis(200);

/// The watched folder of the scripts.
pub struct ScriptWatch {
    folder: WatchedFolder,
    changes: UnboundedReceiver<Vec<Change>>,
}

/// The changes since the last reload.
#[derive(Debug, Default)]
struct Changes {
    /// Changed scripts, each with whether it was only touched: a touch asks for a reload as well.
    scripts: BTreeMap<ScriptName, bool>,
    /// Whether anything may have changed.
    all: bool,
}

impl ScriptWatch {
    /// Starts to watch `folder`.
    ///
    /// To miss no change, begin before the scripts are first read.
    ///
    /// # Errors
    /// A sentence, if the folder cannot be watched.
    pub fn begin(folder: &Path) -> Result<Self, String> {
        let (sender, changes) = unbounded_channel();
        let forward = move |event: notify::Result<notify::Event>| {
            let paths = match event {
                Ok(event) if event.kind.is_access() => return,
                Ok(event) => {
                    let is_touch = matches!(event.kind, EventKind::Modify(ModifyKind::Metadata(_)));
                    event.paths.into_iter().map(|path| (path, is_touch)).collect()
                }
                // An overflow of the watcher's queue: anything may have changed.
                Err(_) => vec![(PathBuf::new(), false)],
            };
            // At shutdown the receiver is gone.
            drop(sender.send(paths));
        };
        let watcher = notify::recommended_watcher(forward);
        let watcher = watcher.map_err(|error| format!("cannot watch {}: {error}", folder.display()))?;
        Ok(Self { folder: WatchedFolder::begin(folder, watcher)?, changes })
    }

    /// Activates changes until shutdown. `setup` adds the settings of bots.yaml to a script.
    pub async fn run(
        mut self,
        engine: &Engine,
        setup: impl Fn(&ScriptName, Result<Source, SourceError>) -> Option<ScriptSetup> + Send + Sync,
        mut shutdown: Shutdown,
    ) {
        loop {
            let mut changed = tokio::select! {
                changed = next(&mut self.changes, self.folder.path()) => changed,
                () = shutdown.requested() => return,
            };
            if self.folder.follow() {
                tracing::info!("the scripts are in {} now", self.folder.path().display());
                changed.all = true;
            }
            if changed.all {
                changed.add_all(engine, self.folder.path());
            }
            for (name, is_touched) in changed.scripts {
                apply_change(engine, self.folder.path(), &name, is_touched, &setup).await;
            }
        }
    }
}

/// A file, and whether it was only touched.
type Change = (PathBuf, bool);

impl Changes {
    /// Adds all scripts in the folder, and all that are loaded.
    fn add_all(&mut self, engine: &Engine, folder: &Path) {
        let there = palabre_script::discover(folder).unwrap_or_default();
        let known = engine.status().scripts.into_iter().map(|script| script.name);
        // Built-in scripts have no files that could be gone.
        let known = known.filter(|name| !BUILT_IN.iter().any(|(built_in, _)| name.as_str() == *built_in));
        for name in there.into_iter().chain(known) {
            self.scripts.entry(name).or_insert(false);
        }
    }
}

/// Returns the next changes, once the folder is quiet.
async fn next(changes: &mut UnboundedReceiver<Vec<Change>>, folder: &Path) -> Changes {
    let mut found = Changes::default();
    let Some(first) = changes.recv().await else { return std::future::pending().await };
    let mut paths = first;
    let began = tokio::time::Instant::now();
    loop {
        add_changes(&mut found, folder, paths);
        match tokio::time::timeout(QUIET_TIME, changes.recv()).await {
            Ok(Some(more)) if began.elapsed() < QUIET_WAIT_MAX => paths = more,
            Ok(Some(more)) => {
                add_changes(&mut found, folder, more);
                return found;
            }
            Ok(None) | Err(_) => return found,
        }
    }
}

fn add_changes(found: &mut Changes, folder: &Path, changes: Vec<Change>) {
    for (path, is_touch) in changes {
        if path.as_os_str().is_empty() || is_shared(folder, &path) {
            found.all = true;
        } else if let Some(name) = script_of(folder, &path) {
            // A file that was written as well was not only touched.
            let only_touched = found.scripts.entry(name).or_insert(is_touch);
            *only_touched &= is_touch;
        }
    }
}

/// Returns the script that a changed file belongs to.
fn script_of(folder: &Path, path: &Path) -> Option<ScriptName> {
    let inside = path.strip_prefix(folder).ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    let is_source =
        path.extension().is_none_or(|extension| ["luau", "ftl", "yaml"].iter().any(|one| extension == *one));
    let name = first.strip_suffix(".luau").unwrap_or(first);
    (is_source && !name.contains('.') && !is_shared(folder, path)).then(|| name.into())
}

/// Whether a file belongs to all scripts.
///
/// These are shared modules and texts, and a folder that the links of all scripts lead through,
/// with which orchestrators swap all scripts at once (`..data`).
fn is_shared(folder: &Path, path: &Path) -> bool {
    let first = path.strip_prefix(folder).ok().and_then(|inside| inside.components().next());
    first.is_some_and(|first| {
        let name = first.as_os_str();
        name == "lib" || name == "locales" || name.to_string_lossy().starts_with("..")
    })
}

async fn apply_change(
    engine: &Engine,
    folder: &Path,
    name: &ScriptName,
    is_touched: bool,
    setup: &(impl Fn(&ScriptName, Result<Source, SourceError>) -> Option<ScriptSetup> + Send + Sync),
) {
    let known = engine.has_script(name);
    let source = match Source::read(folder, name.as_str()) {
        Err(SourceError::Missing { .. }) => {
            if known {
                tracing::info!(script = %name, "its file is gone; unloading it");
                engine.unload(name);
            }
            return;
        }
        source => source,
    };
    let version = source.as_ref().map(Source::version).ok();
    let running =
        engine.status().scripts.into_iter().find(|script| script.name == *name).and_then(|script| script.version);
    if version.is_some() && version == running && !is_touched {
        return;
    }
    // The reason why it does not load is in the log already.
    match source {
        Ok(source) if known => {
            let Some(ScriptSetup { source: Ok(source), config, .. }) = setup(name, Ok(source)) else { return };
            match engine.reload_configured(source, config).await {
                Ok(_) => tracing::info!(script = %name, version, "reloaded"),
                Err(failure) => drop(failure),
            }
        }
        Err(error) if known => tracing::error!(script = %name, "the old version stays: {error}"),
        source => {
            if let Some(setup) = setup(name, source)
                && engine.add_script(setup).await.is_ok()
            {
                tracing::info!(script = %name, version, "loaded");
            }
        }
    }
}
