//! The capabilities that a script needs, and the grants in bots.yaml.

use super::edit::{Change, Edit};
use super::installed;
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

/// Fails if one of the grants is not needed by the script.
pub(super) fn check(name: &str, needs: &[String], grants: &[String]) -> Result<(), Problem> {
    match grants.iter().find(|grant| !needs.contains(grant)) {
        None => Ok(()),
        Some(grant) if needs.is_empty() => {
            Err(Problem::Other(format!("--grant {grant}: {name} does not need it; it needs no grants")))
        }
        Some(grant) => {
            Err(Problem::Other(format!("--grant {grant}: {name} does not need it; it needs {}", needs.join(", "))))
        }
    }
}

/// Whether one of the grants covers a need: the same capability, or a wildcard for its host.
pub(crate) fn is_granted(granted: &[String], need: &str) -> bool {
    let host = need.strip_prefix("http:").filter(|host| *host != "localhost" && !host.contains([':', '*']));
    let wildcard = |grant: &String| match (host, grant.strip_prefix("http:*")) {
        (Some(host), Some(below)) => host.ends_with(below),
        _ => false,
    };
    granted.iter().any(|grant| grant == need || wildcard(grant))
}

/// Prints the needs of a script, each with whether it is granted, or will be by `grants`.
pub(super) fn show(config: &Config, name: &str, needs: &[String], grants: &[String]) {
    let granted = installed::granted(config, name);
    let width = needs.iter().map(|need| need.chars().count()).max().unwrap_or(0);
    for need in needs {
        let state = match (is_granted(&granted, need), grants.contains(need)) {
            (true, _) => "granted in bots.yaml",
            (false, true) => "to be granted in bots.yaml",
            (false, false) => "not granted",
        };
        output::line(&format!("  needs {need:width$}  {state}"));
    }
}

/// Writes `grants` into bots.yaml, and prints how to grant the rest.
pub(super) fn apply_grants(config: &Config, name: &str, needs: &[String], grants: &[String]) -> Result<(), Problem> {
    let mut granted = installed::granted(config, name);
    let file = config.path().display();
    let mut more = Vec::new();
    for grant in grants {
        if !granted.contains(grant) {
            granted.push(grant.clone());
            more.push(grant.as_str());
        }
    }
    if !more.is_empty() {
        Edit::plan(config, name, Change::Grants(granted.clone()))?.write()?;
        let more = more.join(", ");
        output::line(&format!("granted {more} to {name} in {file}; restart the daemon to apply this"));
    }
    let open: Vec<_> = needs.iter().filter(|need| !is_granted(&granted, need)).cloned().collect();
    if !open.is_empty() {
        output::line(&format!("Actions of the script that need other grants will fail. To grant all, add to {file}:"));
        granted.extend(open);
        output::line(&Change::Grants(granted).lines(name));
    }
    Ok(())
}
