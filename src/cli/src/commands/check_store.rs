//! Checks the store for `palabre check`: every page and every row, without changing anything.

use std::path::Path;

use palabre_store::{Error as StoreError, Finding, Store};
use palabre_types::TableId;

use crate::config::Config;
use crate::output::{self, count};
use crate::problem::Problem;

/// The name of the store's file in the data folder.
pub(super) const STORE_FILE: &str = "palabre.redb";
/// The maximum number of findings that are printed.
const FINDINGS_SHOWN_MAX: usize = 20;

/// Checks the store unless it does not exist or is in use. Returns the number of problems.
pub(super) fn check_store(config: &Config, repair: bool) -> Result<usize, Problem> {
    let data = config.data();
    // A dangling link counts as existing too.
    if data.symlink_metadata().is_ok() && !data.is_dir() {
        return Err(StoreError::NotAFolder { path: data }.into());
    }
    if !data.join(STORE_FILE).exists() {
        output::line(&format!("store {}: does not exist yet", data.display()));
        return Ok(0);
    }
    if repair {
        recount(&data)?;
    }
    scan(&data)
}

fn scan(data: &Path) -> Result<usize, Problem> {
    // Held until the end, so that no daemon starts meanwhile.
    let store = match Store::open_for_inspection(data) {
        Ok(store) => store,
        Err(StoreError::Locked { holder, .. }) => {
            output::line(&format!("store {}: not checked, since it is in use by {holder}", data.display()));
            return Ok(0);
        }
        Err(error) => return Err(error.into()),
    };
    let inspection = palabre_store::verify(&data.join(STORE_FILE))?;
    let mut found: Vec<String> = inspection.findings.iter().map(Finding::to_string).collect();
    let snapshot = store.snapshot(0)?;
    found.extend(palabre_engine::journal(&snapshot)?.filter_map(Result::err).map(|error| error.to_string()));
    let letters = palabre_engine::dead_letters(&snapshot)?.count();
    for what in found.iter().take(FINDINGS_SHOWN_MAX) {
        output::line(&format!("store: {what}"));
    }
    if found.len() > FINDINGS_SHOWN_MAX {
        output::line(&format!("store: and {} more problems", found.len() - FINDINGS_SHOWN_MAX));
    }
    let rows: u64 = inspection.rows.iter().map(|(_, rows)| rows).sum();
    let state = if found.is_empty() { "ok" } else { "DAMAGED" };
    output::line(&format!("store {}: {state}, {rows} rows, {}", data.display(), count(letters, "dead letter")));
    if letters > 0 {
        output::line("store: run `palabre dead-letters list` to see the dead letters");
    }
    Ok(found.len())
}

/// Recounts the storage of each script. Fails if the store has any other damage.
fn recount(data: &Path) -> Result<(), Problem> {
    // Fails if a daemon has the store open.
    drop(Store::open_for_inspection(data)?);
    let inspection = palabre_store::verify(&data.join(STORE_FILE))?;
    let is_sum = |finding: &&Finding| finding.table == Some(TableId::ScriptUsage);
    if let Some(damage) = inspection.findings.iter().find(|finding| !is_sum(finding)) {
        return Err(Problem::Damaged(format!(
            "the store {} is damaged and cannot be repaired ({damage}); keep the file, and restore the last backup \
             with `palabre restore`",
            data.display()
        )));
    }
    let store = Store::open(data)?;
    store.recount()?;
    close_whole(&store)?;
    output::line(&format!("store {}: recounted the storage of each script", data.display()));
    Ok(())
}

/// Closes a store. Fails if damage was found since it was opened.
pub(super) fn close_whole(store: &Store) -> Result<(), Problem> {
    store.close();
    store.damage().map_or(Ok(()), |damage| Err(Problem::Damaged(damage)))
}
