//! `palabre scripts enable` and `disable`: enables or disables a script in bots.yaml.

use super::edit::{Change, Edit};
use super::installed;
use crate::config::Config;
use crate::problem::Problem;
use crate::tell;

pub(super) fn switch(config: &Config, name: &str, on: bool) -> Result<(), Problem> {
    installed::find(config, name)?;
    let state = if on { "enabled" } else { "disabled" };
    if installed::is_enabled(config, name) == on {
        tell::line(&format!("{name} is already {state}"));
        return Ok(());
    }
    Edit::plan(config, name, Change::Enabled(on))?.write()?;
    let file = config.path().display();
    tell::line(&format!("{name} is {state} in {file}; restart the daemon to apply this"));
    Ok(())
}
