//! Durations as people write them.

use std::time::Duration;

/// Reads `90s`, `10m`, `2h30m`, `7d`, `1w`, `250ms`; a bare number is seconds. `None` when it is none of these, or more than a
/// century.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    const CENTURY: f64 = 100.0 * 365.25 * 86_400.0;
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (0.0..=CENTURY).contains(&seconds).then(|| Duration::from_secs_f64(seconds));
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let seconds = match after[..unit].trim() {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return None,
        };
        total += number * seconds;
        rest = &after[unit..];
    }
    (!text.is_empty() && total <= CENTURY).then(|| Duration::from_secs_f64(total))
}
