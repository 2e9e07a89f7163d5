//! `palabre backup` and `palabre restore`: the whole store as one file.

use std::path::Path;

use palabre_store::Store;

use crate::config::Config;
use crate::problem::Problem;
use crate::tell;

const FILE: &str = "palabre.redb";

pub(crate) fn backup(config: &Config, target: &Path) -> Result<(), Problem> {
    let data = config.data();
    if !data.join(FILE).exists() {
        return Err(Problem::Other(format!("there is no store in {} to back up", data.display())));
    }
    Store::open(&data)?.backup(target)?;
    tell::line(&format!("{} is backed up in {}", data.display(), target.display()));
    Ok(())
}

/// Puts a backup in the place of the store. What is there is kept beside it.
pub(crate) fn restore(config: &Config, source: &Path) -> Result<(), Problem> {
    let data = config.data();
    let check = empty_folder_in(&data)?;
    let copied = check.join(FILE);
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |cause| Problem::File { doing, path, cause }
    };
    std::fs::copy(source, &copied).map_err(failed("read", source))?;
    // A backup that is damaged itself is found before anything is moved.
    let inspection = Store::open(&check)?.inspect()?;
    if let Some(finding) = inspection.findings.first() {
        return Err(Problem::Other(format!("{} is damaged: {finding}", source.display())));
    }
    let place = data.join(FILE);
    if place.exists() {
        // Refused while a daemon has it; a store that is too damaged to be opened may be replaced all the same.
        if let Err(error @ palabre_store::Error::Locked { .. }) = Store::open(&data).map(drop) {
            return Err(error.into());
        }
        let kept = data.join("palabre.redb.before-restore");
        std::fs::rename(&place, &kept).map_err(failed("move", &place))?;
        tell::line(&format!("what was there is kept as {}", kept.display()));
    }
    std::fs::rename(&copied, &place).map_err(failed("move", &copied))?;
    std::fs::remove_dir_all(&check).map_err(failed("remove", &check))?;
    tell::line(&format!("{} is restored from {}", data.display(), source.display()));
    Ok(())
}

/// An empty folder in the data folder, so that what is in it can be moved into place at once.
fn empty_folder_in(data: &Path) -> Result<std::path::PathBuf, Problem> {
    let folder = data.join("restoring");
    let made = match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => std::fs::create_dir_all(&folder),
    };
    made.map_err(|cause| Problem::File { doing: "make", path: folder.clone(), cause })?;
    Ok(folder)
}
