//! `palabre backup`: copies the whole store to one file.

use std::path::{Path, PathBuf};

use palabre_store::{Inspection, Store};

use super::check_store::{STORE_FILE, close_whole};
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

/// The arguments of `palabre backup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Backup file, which must not exist yet.
    file: PathBuf,
}

pub(crate) fn backup(config: &Config, args: &Args) -> Result<(), Problem> {
    let target = &args.file;
    let data = config.data();
    if !data.join(STORE_FILE).exists() {
        return Err(Problem::Other(format!("there is no store in {} to back up", data.display())));
    }
    let store = Store::open(&data)?;
    store.backup(target)?;
    close_whole(&store)?;
    verified(target)?;
    output::line(&format!("backed up {} to {}", data.display(), target.display()));
    Ok(())
}

/// Verifies a backup, and returns its content.
pub(super) fn verified(backup: &Path) -> Result<Inspection, Problem> {
    let inspection = palabre_store::verify(backup)?;
    match inspection.findings.first() {
        None => Ok(inspection),
        Some(finding) => {
            let more = inspection.findings.len() - 1;
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            Err(Problem::Damaged(format!("{} is damaged: {finding}{more}", backup.display())))
        }
    }
}
