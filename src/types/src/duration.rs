//! Parsing of durations in English and French notations.

use std::time::Duration;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;
/// The maximum duration, in seconds.
const DURATION_MAX: f64 = 100.0 * 365.25 * DAY;

/// A duration at the beginning of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeadingDuration<'t> {
    /// The duration.
    pub duration: Duration,
    /// Whether a unit was written; a bare number is read as seconds.
    pub has_unit: bool,
    /// The text after the duration, without leading space.
    pub rest: &'t str,
}

/// A number and the seconds of its unit, if a unit follows.
struct Part<'t> {
    number: f64,
    unit: Option<f64>,
    rest: &'t str,
}

/// Parses a duration; a bare number is seconds.
///
/// Notations: `90s`, `10m`, `2h30m`, `1h 30m`, `1,5h`, `60 minutes`, `7d`, `1w`, `250ms`. Returns
/// `None` for any other text, and for more than a century.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (0.0..=DURATION_MAX).contains(&seconds).then(|| Duration::from_secs_f64(seconds));
    }
    leading_duration(text).filter(|read| read.rest.is_empty()).map(|read| read.duration)
}

/// Parses the duration at the beginning of a text, which may extend over several words.
///
/// From `7 days spam` it takes `7 days`, from `1h 30m tea` `1h 30m`. Each further part needs a
/// smaller unit than the one before, so that it takes `7d` from `7d 2 times`. Returns `None` when
/// the text does not begin with a duration, and for more than a century.
#[must_use]
pub fn leading_duration(text: &str) -> Option<LeadingDuration<'_>> {
    let first = part(text.trim_start())?;
    let Some(mut smallest) = first.unit else {
        let is_alone = is_end(first.rest) && first.number <= DURATION_MAX;
        return is_alone.then(|| LeadingDuration {
            duration: Duration::from_secs_f64(first.number),
            has_unit: false,
            rest: after_end(first.rest),
        });
    };
    let mut total = first.number * smallest;
    let mut rest = first.rest;
    while let Some(next) = part(after_separator(rest)) {
        let unit = match next.unit {
            Some(unit) => unit,
            // 1h30 is an hour and a half.
            None if smallest == HOUR && rest.starts_with(|c: char| c.is_ascii_digit()) && is_end(next.rest) => MINUTE,
            None => break,
        };
        if unit >= smallest {
            break;
        }
        total += next.number * unit;
        (smallest, rest) = (unit, next.rest);
    }
    let is_whole = is_end(rest) && total <= DURATION_MAX;
    is_whole.then(|| LeadingDuration {
        duration: Duration::from_secs_f64(total),
        has_unit: true,
        rest: after_end(rest),
    })
}

fn part(text: &str) -> Option<Part<'_>> {
    let (number, after) = number(text)?;
    let word = after.trim_start();
    let end = word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len());
    let (unit, rest) = match unit(&word[..end].to_lowercase()) {
        Some(unit) => (Some(unit), &word[end..]),
        None => (None, after),
    };
    Some(Part { number, unit, rest })
}

/// Parses the number at the beginning of a text, with a point or comma before its fraction.
fn number(text: &str) -> Option<(f64, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let fraction = text[whole..].strip_prefix(['.', ',']).map_or(0, digits);
    let end = if fraction > 0 { whole + 1 + fraction } else { whole };
    let number = text[..end].replace(',', ".").parse().ok()?;
    Some((number, &text[end..]))
}

/// Returns the seconds of a unit, by its lower-case name.
fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "ms" | "millisecond" | "milliseconds" | "milliseconde" | "millisecondes" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" | "seconde" | "secondes" => 1.0,
        "m" | "mn" | "min" | "mins" | "minute" | "minutes" => MINUTE,
        "h" | "hr" | "hrs" | "hour" | "hours" | "heure" | "heures" => HOUR,
        "d" | "day" | "days" | "j" | "jr" | "jrs" | "jour" | "jours" => DAY,
        "w" | "wk" | "wks" | "week" | "weeks" | "sem" | "semaine" | "semaines" => 7.0 * DAY,
        "mo" | "month" | "months" | "mois" => 30.0 * DAY,
        "y" | "yr" | "yrs" | "year" | "years" | "an" | "ans" | "année" | "années" => 365.0 * DAY,
        _ => return None,
    })
}

/// Whether a word ends at the start of `rest`.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
}

fn after_end(rest: &str) -> &str {
    rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
}

/// Skips the space, comma or "and" between two parts.
fn after_separator(rest: &str) -> &str {
    let rest = rest.trim_start();
    let rest = rest.strip_prefix([',', ';', '&']).map_or(rest, str::trim_start);
    ["and ", "et "].into_iter().find_map(|word| rest.strip_prefix(word)).map_or(rest, str::trim_start)
}
