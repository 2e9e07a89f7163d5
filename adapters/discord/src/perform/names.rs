//! Names that a webhook may use.
//!
//! <https://discord.com/developers/docs/resources/webhook#create-webhook>

/// The longest name, in characters.
const NAME_MAX: usize = 80;
/// The words that a name must not contain.
const RESERVED_WORDS: [&str; 2] = ["discord", "clyde"];
/// The names that are reserved as a whole.
const RESERVED_NAMES: [&str; 3] = ["everyone", "here", "system message"];
/// An invisible character that breaks up a word.
const BREAK: char = '\u{200b}';

/// Returns a name that Discord accepts: 1 to 80 characters, with reserved words broken up.
pub(super) fn allowed(name: &str) -> String {
    let printed: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let trimmed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut name: Vec<char> = trimmed.chars().collect();
    for word in RESERVED_WORDS {
        break_up(&mut name, word);
    }
    let folded: String = name.iter().copied().map(folded).collect();
    if RESERVED_NAMES.contains(&folded.trim_start_matches('@')) {
        // After the first letter, which an @ is not.
        let letter = name.iter().position(|c| *c != '@').unwrap_or_default();
        name.insert(letter + 1, BREAK);
    }
    let name: String = name.into_iter().take(NAME_MAX).collect();
    let name = name.trim_end();
    if name.chars().any(|c| c != BREAK && !c.is_whitespace()) { name.to_owned() } else { "?".to_owned() }
}

/// Returns the initials of a name, which contain no word that Discord could refuse.
pub(super) fn initials(name: &str) -> String {
    let letters = name.split(|c: char| !c.is_alphanumeric()).filter_map(|word| word.chars().next());
    let initials: Vec<String> = letters.take(8).map(|letter| format!("{letter}.")).collect();
    if initials.is_empty() { "?".to_owned() } else { initials.join(" ") }
}

/// Breaks up all occurrences of a word, in any case.
fn break_up(name: &mut Vec<char>, word: &str) {
    let word: Vec<char> = word.chars().collect();
    let mut at = 0;
    while at + word.len() <= name.len() {
        if name[at..at + word.len()].iter().copied().map(folded).eq(word.iter().copied()) {
            name.insert(at + 1, BREAK);
        }
        at += 1;
    }
}

/// Normalises a letter for comparison: lower case, a plain i for Turkish ones, and not full-width.
fn folded(letter: char) -> char {
    let narrow = match letter {
        // Full-width ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        'İ' | 'ı' => 'i',
        letter => letter,
    };
    narrow.to_lowercase().next().unwrap_or(narrow)
}

#[cfg(test)]
mod tests {
    use super::{NAME_MAX, allowed, folded, initials};

    #[test]
    fn no_reserved_word_is_left_in_a_name() {
        for name in ["Clyde of Discord", "İİİİdiscord", "DİSCORD", "clydeclyde", "xdiscordx", "ｄｉｓｃｏｒｄ"]
        {
            let folded: String = allowed(name).chars().map(folded).collect();
            assert!(!folded.contains("discord") && !folded.contains("clyde"), "{name}: {folded}");
            assert_eq!(allowed(name).replace('\u{200b}', ""), name, "it looks the same");
        }
        for name in ["everyone", "@everyone", "HERE", "System Message", " here\r\n"] {
            let made = allowed(name);
            let folded: String = made.chars().map(folded).collect();
            assert!(!["everyone", "@everyone", "here", "system message"].contains(&folded.as_str()), "{name}: {made}");
        }
        assert_eq!(allowed("here and there"), "here and there");
    }

    #[test]
    fn a_name_has_1_to_80_characters() {
        for name in ["", "  ", "\u{0}\r\n", "\u{200b}"] {
            assert_eq!(allowed(name), "?", "{name:?}");
        }
        assert_eq!(allowed(&"ü".repeat(200)).chars().count(), NAME_MAX);
        assert_eq!(allowed(&"clyde".repeat(40)).chars().count(), NAME_MAX);
        assert_eq!(allowed("Zoé\r\n the\t Queen"), "Zoé the Queen");
    }

    #[test]
    fn the_safe_name_is_short_and_has_no_words() {
        assert_eq!(initials("Clyde of Discord"), "C. o. D.");
        assert_eq!(initials("Zoé"), "Z.");
        assert_eq!(initials("🌳"), "?");
    }
}
