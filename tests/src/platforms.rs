//! The published API descriptions of platforms.

use std::path::PathBuf;

use serde_json::Value;

/// Reads the description in `PALABRE_PLATFORMS` or `../shared/platforms`; none if it is missing.
pub(crate) fn description(file: &str) -> Option<Value> {
    let folder = std::env::var_os("PALABRE_PLATFORMS").map(PathBuf::from);
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/platforms");
    let text = std::fs::read(folder.unwrap_or_else(default).join(file)).ok()?;
    Some(serde_json::from_slice(&text).expect("the description is JSON"))
}

/// Reports that a test is skipped because a description is missing, which is not allowed in CI.
#[allow(clippy::print_stdout, reason = "a skipped test is reported")]
pub(crate) fn skip(file: &str) {
    let what = format!("{file} is neither in PALABRE_PLATFORMS nor in ../shared/platforms");
    assert!(std::env::var_os("CI").is_none(), "CI must not skip this test ({what})");
    println!("SKIPPED: {what}");
}
