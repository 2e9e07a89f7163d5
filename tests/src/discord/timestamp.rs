//! Times as Discord writes them.

use jiff::Timestamp;

/// Formats a time as Discord does.
pub(super) fn stamp(millis: u64) -> String {
    let moment = Timestamp::from_millisecond(i64::try_from(millis).unwrap_or_default()).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

/// Parses the output of [`stamp`], also with other offsets.
pub(super) fn moment(text: &str) -> Option<u64> {
    let moment: Timestamp = text.parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok()
}
