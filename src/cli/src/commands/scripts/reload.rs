//! `palabre scripts reload`: touches a script, since the daemon watches the folder.

use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};

use palabre_platform::{Clock, SystemClock};

use super::installed;
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

pub(super) fn reload(config: &Config, name: &str) -> Result<(), Problem> {
    let script = installed::find(config, name)?;
    let entry = if script.path.is_dir() { script.path.join("init.luau") } else { script.path };
    let now = UNIX_EPOCH + Duration::from_millis(SystemClock.now());
    File::options()
        .append(true)
        .open(&entry)
        .and_then(|file| file.set_modified(now))
        .map_err(|cause| Problem::File { doing: "touch", path: entry.clone(), cause })?;
    output::line(&format!("touched {}; a running daemon reloads {name}", entry.display()));
    Ok(())
}
