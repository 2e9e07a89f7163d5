//! `palabre restore`: replaces the whole store by a backup and keeps the old one.

use std::path::{Path, PathBuf};

use palabre_platform::{Clock, SystemClock};
use palabre_store::{Error as StoreError, Store};
use palabre_types::iso8601;

use super::backup::verified;
use super::check_store::STORE_FILE;
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

/// The folder below the data folder in which a backup is prepared, to be moved atomically.
const RESTORE_FOLDER: &str = "restoring";
/// The folder of the search index of the room service, which is derived from the store that is replaced.
const SEARCH_FOLDER: &str = "search";

/// The arguments of `palabre restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Backup file made by `palabre backup`.
    file: PathBuf,
    /// Show what would be done without doing it.
    #[arg(long)]
    dry_run: bool,
}

/// Replaces the store. A dry run only prints the steps.
pub(crate) fn restore(config: &Config, args: &Args) -> Result<(), Problem> {
    let source = &args.file;
    let data = config.data();
    // A damaged backup must be detected before anything is moved.
    let rows: u64 = verified(source)?.rows.iter().map(|(_, rows)| rows).sum();
    let place = data.join(STORE_FILE);
    let kept = place.exists().then(|| unused_name(&data));
    if kept.is_some() {
        refuse_if_used(&data)?;
    }
    if args.dry_run {
        output::line(&format!("{} is a valid backup with {rows} rows", source.display()));
        if let Some(kept) = &kept {
            output::line(&format!("{} would be kept as {}", place.display(), kept.display()));
        }
        output::line(&format!("{} would be written; nothing was changed (dry run)", place.display()));
        return Ok(());
    }
    let copy = copied(source, &data)?;
    if let Some(kept) = &kept {
        std::fs::rename(&place, kept).map_err(failed("move", &place))?;
        output::line(&format!("kept the old store as {}", kept.display()));
    }
    remove_search_index(&data)?;
    std::fs::rename(&copy, &place).map_err(failed("move", &copy))?;
    let folder = data.join(RESTORE_FOLDER);
    std::fs::remove_dir_all(&folder).map_err(failed("remove", &folder))?;
    output::line(&format!("restored {} from {}", data.display(), source.display()));
    Ok(())
}

/// Copies a backup into the data folder, and gives the copy a new installation id.
fn copied(source: &Path, data: &Path) -> Result<PathBuf, Problem> {
    let folder = data.join(RESTORE_FOLDER);
    let made = match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => std::fs::create_dir_all(&folder),
    };
    made.map_err(failed("create", &folder))?;
    let copy = folder.join(STORE_FILE);
    std::fs::copy(source, &copy).map_err(failed("copy", source))?;
    let store = Store::open(&folder)?;
    store.clear_installation_data()?;
    store.close();
    std::fs::File::open(&copy).and_then(|file| file.sync_all()).map_err(failed("write", &copy))?;
    Ok(copy)
}

/// Deletes the search index, which could not tell whether the backup is older. The daemon builds it anew.
fn remove_search_index(data: &Path) -> Result<(), Problem> {
    let folder = data.join(SEARCH_FOLDER);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", &folder)(error)),
        _ => Ok(()),
    }
}

/// Fails if a daemon has the store open. A store that is too damaged to open may still be replaced.
fn refuse_if_used(data: &Path) -> Result<(), Problem> {
    match Store::open_for_inspection(data).map(drop) {
        Err(error @ StoreError::Locked { .. }) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Returns a path for the old store that no earlier one has.
fn unused_name(data: &Path) -> PathBuf {
    let time: String = iso8601(SystemClock.now()).chars().filter(char::is_ascii_alphanumeric).collect();
    let name = |n: u32| {
        let number = if n == 1 { String::new() } else { format!("-{n}") };
        data.join(format!("{STORE_FILE}.before-restore-{time}{number}"))
    };
    let mut n = 1;
    while name(n).exists() {
        n += 1;
    }
    name(n)
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Problem {
    let path = path.to_owned();
    move |cause| Problem::File { doing, path, cause }
}
