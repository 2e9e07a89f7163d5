//! `palabre scripts enable` and `disable`: enables or disables a script in bots.yaml.

use super::edit::{Change, Edit};
use super::installed;
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

pub(super) fn switch(config: &Config, name: &str, on: bool) -> Result<(), Problem> {
    installed::find(config, name)?;
    let state = if on { "enabled" } else { "disabled" };
    if installed::is_enabled(config, name) == on {
        output::line(&format!("{name} is already {state}"));
        return Ok(());
    }
    Edit::plan(config, name, Change::Enabled(on))?.write()?;
    let file = config.path().display();
    output::line(&format!("{name} is {state} in {file}; restart the daemon to apply this"));
    Ok(())
}
