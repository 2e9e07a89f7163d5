//! Validates grants.

use palabre_script::{GRANTS, nearest};

/// Checks that a grant exists.
pub(super) fn check(grant: &str) -> Result<(), String> {
    if let Some(host) = grant.strip_prefix("http:") {
        return palabre_fetch::Grants::parse(&[host.to_owned()]).map(drop);
    }
    if GRANTS.contains(&grant) {
        return Ok(());
    }
    let near = nearest(grant, GRANTS.iter().copied());
    Err(format!("unknown grant `{grant}`, expected one of {}, http:HOST{near}", GRANTS.join(", ")))
}
