//! Points in time.

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = u64;

/// Formats a time as `2026-11-20T17:14:55.123Z`.
///
/// Times after the year 9999 are written as the end of that year.
#[must_use]
pub fn iso8601(time: Millis) -> String {
    let timestamp = i64::try_from(time)
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        .unwrap_or(jiff::Timestamp::MAX);
    timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
