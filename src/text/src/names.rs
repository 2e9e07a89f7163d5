use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters that are invisible or overlay a letter.
///
/// These are control, format, unassigned and private-use characters, line separators,
/// default-ignorable code points (UAX #44), the blank Braille cell, and overlay strokes and circles.
const HIDDEN: &str =
    r"[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\x{2800}\x{0334}-\x{0338}\x{20D0}-\x{20FF}\x{1D173}-\x{1D17A}]";
/// More combining marks on one letter than any language uses.
const PILED: &str = r"\p{M}{4}";
/// A character that is visible by itself.
const VISIBLE: &str = r"[\p{L}\p{N}\p{P}\p{S}]";

static RULES: LazyLock<Vec<(Option<Regex>, bool, &str)>> = LazyLock::new(|| {
    vec![
        (Regex::new(HIDDEN).ok(), false, "contains invisible characters"),
        (Regex::new(PILED).ok(), false, "has too many combining marks on one letter"),
        (Regex::new(VISIBLE).ok(), true, "contains no visible character"),
    ]
});

/// Returns why a name could be mistaken for another or is invisible; `None` if it is acceptable.
#[must_use]
pub fn name_problem(name: &str) -> Option<&'static str> {
    let breaks = |(rule, wanted, _): &&(Option<Regex>, bool, &str)| {
        rule.as_ref().is_some_and(|rule| rule.is_match(name) != *wanted)
    };
    RULES.iter().find(breaks).map(|(_, _, problem)| *problem)
}

/// Returns a name in its composed form (NFC), in which the same letters are always the same characters.
#[must_use]
pub fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// Whether a name has only letters, digits, dots, hyphens and underscores.
///
/// Combining marks are none of these, although Unicode counts some of them as alphabetic.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
    name.chars().all(|letter| is_plain(letter) && !is_combining_mark(letter))
}

/// Whether a character changes the direction of the text around it (UAX #9, section 2).
#[must_use]
pub const fn is_bidi_control(letter: char) -> bool {
    matches!(letter, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_have_no_combining_marks() {
        for name in ["bob", "x_y-z.1", "Jos\u{e9}", "\u{41c}\u{430}\u{440}\u{438}\u{44f}", "\u{3055}\u{304f}\u{3089}"] {
            assert!(is_plain_name(name), "{name}");
        }
        // Both of the first are alphabetic.
        for added in ["\u{345}", "\u{93f}", "\u{301}", " ", "@", "\u{1f44b}"] {
            assert!(!is_plain_name(&format!("bob{added}")), "{}", added.escape_unicode());
        }
        assert_eq!(composed("Jose\u{301}"), "Jos\u{e9}");
    }

    #[test]
    fn names_that_could_pass_for_others_are_found() {
        for hidden in [
            "\u{FFF9}",
            "\u{FFFB}",
            "\u{206A}",
            "\u{13430}",
            "\u{6DD}",
            "\u{110BD}",
            "\u{E000}",
            "\u{FDD0}",
            "\u{FFFF}",
            "\u{10FFFF}",
            "\u{200B}",
            "\u{202E}",
            "\u{3164}",
            "\u{FE0F}",
            "\u{E0041}",
            "\u{335}",
            "\u{20E0}",
            "\u{7}",
            "\u{2028}",
        ] {
            let name = format!("bob{hidden}");
            assert_eq!(name_problem(&name), Some("contains invisible characters"), "{}", name.escape_unicode());
        }
        assert_eq!(
            name_problem(&format!("b{}", "\u{301}".repeat(63))),
            Some("has too many combining marks on one letter")
        );
        assert_eq!(name_problem("\u{301}"), Some("contains no visible character"));
    }

    #[test]
    fn names_of_people_may_stand() {
        for name in [
            "bob",
            "José",
            "Jose\u{301}",
            "Nguyễn Văn",
            "さくら",
            "محمد",
            "हिन्दी",
            "Мария",
            "🦊",
            "x_y-z.1",
            "O’Neil",
            "สมชาย",
        ] {
            assert_eq!(name_problem(name), None, "{name}");
        }
    }
}
