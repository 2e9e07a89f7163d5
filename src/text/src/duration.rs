/// The units, largest first: their length in seconds, and their singular and plural names.
const UNITS: [(u64, Names); 5] = [
    (31_536_000, Names { english: ["year", "years"], french: ["an", "ans"] }),
    (86_400, Names { english: ["day", "days"], french: ["jour", "jours"] }),
    (3_600, Names { english: ["hour", "hours"], french: ["heure", "heures"] }),
    (60, Names { english: ["minute", "minutes"], french: ["minute", "minutes"] }),
    (1, Names { english: ["second", "seconds"], french: ["seconde", "secondes"] }),
];

struct Names {
    english: [&'static str; 2],
    french: [&'static str; 2],
}

/// Formats a number of seconds in words: the largest unit and the next one, `2 hours 30 minutes`.
///
/// Smaller units are left out. The text is French for a French `locale` and English for every other.
/// NaN counts as 0.
#[must_use]
pub fn duration(seconds: f64, locale: &str) -> String {
    let french = locale.split(['-', '_']).next().is_some_and(|language| language.eq_ignore_ascii_case("fr"));
    // The cast saturates, and turns NaN into 0.
    let whole = seconds.abs().round() as u64;
    let largest = UNITS.iter().position(|(unit, _)| whole >= *unit).unwrap_or(UNITS.len() - 1);

    let mut parts = Vec::new();
    let mut rest = whole;
    for (unit, names) in UNITS.iter().skip(largest).take(2) {
        let count = rest / unit;
        rest %= unit;
        if count > 0 || parts.is_empty() {
            // In French, 0 takes the singular.
            let several = if french { count > 1 } else { count != 1 };
            let names = if french { names.french } else { names.english };
            parts.push(format!("{count} {}", names[usize::from(several)]));
        }
    }
    let sign = if seconds < 0.0 && whole > 0 { "-" } else { "" };
    format!("{sign}{}", parts.join(" "))
}
