use std::sync::LazyLock;

use regex::Regex;

/// The maximum number of code points. The longest emoji has 10; this leaves room for tag sequences
/// (flags of regions).
const CODE_POINTS_MAX: usize = 32;

/// The grammar of UTS #51: a flag, a keycap, or pictographs with a skin tone or presentation
/// selector, joined by zero-width joiners.
static EMOJI: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let part = r"\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\x{FE0F}\x{20E3}?)?";
    let tags = r"[\x{E0020}-\x{E007E}]{1,16}\x{E007F}";
    let joined = format!(r"{part}(?:{tags}|(?:\x{{200D}}{part}){{0,8}})");
    Regex::new(&format!(r"^(?:\p{{Regional_Indicator}}{{2}}|[0-9#*]\x{{FE0F}}?\x{{20E3}}|{joined})$")).ok()
});

/// Returns whether `text` is exactly one emoji.
#[must_use]
pub fn is_emoji(text: &str) -> bool {
    text.chars().count() <= CODE_POINTS_MAX && EMOJI.as_ref().is_some_and(|emoji| emoji.is_match(text))
}
