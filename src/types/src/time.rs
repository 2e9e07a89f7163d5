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

/// Returns the time that a text says: in ISO 8601, or in milliseconds since the Unix epoch.
///
/// `2026-11-20T17:14:55Z` has to name an offset or `Z`; a date alone is its beginning in UTC. `None` if the text is
/// neither, or the time is before 1970.
#[must_use]
pub fn parse_time(text: &str) -> Option<Millis> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let is_date = text.len() == "2026-11-20".len();
    let full = if is_date { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let timestamp: jiff::Timestamp = full.parse().ok()?;
    Millis::try_from(timestamp.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::{iso8601, parse_time};

    #[test]
    fn times_are_read_as_iso_8601_or_milliseconds() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1763658895123", Some(1_763_658_895_123)),
            ("1970-01-02", Some(86_400_000)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1970-01-01T00:00:01.5Z", Some(1_500)),
            ("1970-01-01T00:00:01", None),
            ("1969-12-31", None),
            ("yesterday", None),
            ("", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(parse_time(text), expected, "{text}");
        }
        assert_eq!(parse_time(&iso8601(1_763_658_895_123)), Some(1_763_658_895_123));
    }
}
