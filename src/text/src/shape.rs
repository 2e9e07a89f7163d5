//! Maps a character to the plain characters that it looks like.
//!
//! Resolves compatibility forms, accents and look-alikes. The mapping is idempotent.

use std::sync::OnceLock;

use unicode_normalization::char::decompose_compatible;
use unicode_security::skeleton;

use crate::letters::only;

/// The maximum number of characters that one maps to.
///
/// The longest words in one character have six. Longer ones are phrases in one character (U+FDFA has
/// eighteen), and would multiply the length of a text.
const EXPANSION_MAX: usize = 8;
/// The number of characters in a block of the lookup table, which is filled on first use.
///
/// There is a table since computing a skeleton costs as much as the rest of a scan.
const BLOCK_LEN: usize = 256;
/// The number of blocks: all planes that contain letters, up to U+31FFF.
const BLOCK_COUNT: usize = 0x320;
static READINGS: [OnceLock<Box<[Reading]>>; BLOCK_COUNT] = [const { OnceLock::new() }; BLOCK_COUNT];
/// The number of blocks with the scripts of most messages: up to U+33FF.
const COMMON_BLOCK_COUNT: usize = 0x34;

#[derive(Debug)]
enum Reading {
    Unseen,
    One(char),
    Several(Box<[char]>),
}

impl Reading {
    fn of(code: u32) -> Self {
        let mut read = Vec::new();
        if let Some(c) = char::from_u32(code) {
            decompose(c, &mut read);
        }
        match read.as_slice() {
            [] => Self::Unseen,
            [one] => Self::One(*one),
            _ => Self::Several(read.into()),
        }
    }

    fn of_block(block: usize) -> Box<[Self]> {
        (block * BLOCK_LEN..(block + 1) * BLOCK_LEN)
            .map(|code| Self::of(u32::try_from(code).unwrap_or(u32::MAX)))
            .collect()
    }
}

/// Fills the table of look-alikes for the common scripts; does nothing when called again.
///
/// Without it, the first messages that need a block of the table wait for it.
pub fn warm_up() {
    for (block, readings) in READINGS.iter().enumerate().take(COMMON_BLOCK_COUNT) {
        readings.get_or_init(|| Reading::of_block(block));
    }
}

/// Calls `out` with each character that `c` maps to.
///
/// It is not called if `c` is invisible or only modifies another character.
pub(crate) fn read(c: char, mut out: impl FnMut(char)) {
    match c {
        '\0'..='\x7f' => return out(c.to_ascii_lowercase()),
        '\u{FF01}'..='\u{FF5E}' => {
            let narrow = char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c);
            return out(narrow.to_ascii_lowercase());
        }
        // Ideographs, Hangul and pictographs map to themselves.
        '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{1F300}'..='\u{1FAFF}' => return out(c),
        _ => {}
    }
    let (block, place) = (c as usize / BLOCK_LEN, c as usize % BLOCK_LEN);
    let unlisted;
    let reading = match READINGS.get(block) {
        Some(readings) => &readings.get_or_init(|| Reading::of_block(block))[place],
        None => {
            unlisted = Reading::of(u32::from(c));
            &unlisted
        }
    };
    match reading {
        Reading::Unseen => {}
        Reading::One(one) => out(*one),
        Reading::Several(letters) => letters.iter().copied().for_each(out),
    }
}

fn decompose(c: char, out: &mut Vec<char>) {
    match c {
        // Negative circled and squared letters and regional indicators (flags) have no decomposition.
        '\u{1F150}'..='\u{1F169}' => return out.extend(letter(c, 0x1F150)),
        '\u{1F170}'..='\u{1F189}' => return out.extend(letter(c, 0x1F170)),
        '\u{1F1E6}'..='\u{1F1FF}' => return out.extend(letter(c, 0x1F1E6)),
        _ => {}
    }
    if is_unseen(c) {
        return;
    }
    let mut parts = Vec::new();
    decompose_compatible(c, |part| parts.push(part));
    if parts.len() > EXPANSION_MAX {
        return out.push(c);
    }
    if parts.first() == Some(&' ') && !c.is_whitespace() {
        // An accent on its own, such as the `´` of `don´t`, is not a space.
        if !push_lookalike(c, out) {
            out.push(c);
        }
        return;
    }
    for part in parts {
        if is_unseen(part) {
            continue;
        }
        if part.is_ascii() {
            out.push(part.to_ascii_lowercase());
        } else if !push_lookalike(part, out) {
            for lower in part.to_lowercase().filter(|lower| !is_unseen(*lower)) {
                if lower.is_ascii() || !push_lookalike(lower, out) {
                    out.push(lower);
                }
            }
        }
    }
}

fn letter(c: char, a: u32) -> Option<char> {
    char::from_u32(u32::from('a') + u32::from(c) - a)
}

/// Pushes the plain characters that `c`, which is not ASCII, looks like; false if there are none.
fn push_lookalike(c: char, out: &mut Vec<char>) -> bool {
    if matches!(c, 'ß' | 'ẞ') {
        out.extend(['s', 's']);
        return true;
    }
    if let Some(letter) = lookalike_override(c) {
        out.push(letter);
        return true;
    }
    if c.is_numeric() || matches!(c, '¢'..='¥' | '\u{20A0}'..='\u{20CF}') {
        return false;
    }
    let mut bytes = [0; 4];
    let bones: String = skeleton(c.encode_utf8(&mut bytes)).filter(|bone| !is_accent(*bone)).collect();
    let one = only(bones.chars());
    if !c.is_alphabetic() {
        let punctuation = if bones == "''" { Some('"') } else { one.filter(char::is_ascii_punctuation) };
        out.extend(punctuation);
        return punctuation.is_some();
    }
    // ASCII characters are not replaced by their skeletons, so two peculiarities of those must be
    // undone: `rn` for m and, for capitals, `l` for I.
    match bones.as_str() {
        "rn" => out.push('m'),
        "l" if c.is_uppercase() => out.push('i'),
        "ae" | "AE" => out.extend(['a', 'e']),
        "oe" | "OE" => out.extend(['o', 'e']),
        _ => {
            let plain = one.and_then(|one| if one.is_ascii_alphabetic() { Some(one) } else { lookalike_override(one) });
            out.extend(plain.map(|plain| plain.to_ascii_lowercase()));
            return plain.is_some();
        }
    }
    true
}

/// Maps letters whose Unicode confusable is not the plain letter.
///
/// These are small capitals, and letters of which only the capital is a look-alike: both cases of a
/// letter should map to the same.
fn lookalike_override(c: char) -> Option<char> {
    Some(match c {
        'ᴀ' => 'a',
        'ʙ' | 'ƅ' | 'β' | 'б' => 'b',
        'ᴅ' => 'd',
        'ᴇ' | 'ꞓ' | 'ǝ' | '℮' => 'e',
        'ꜰ' => 'f',
        'ɢ' => 'g',
        'ʜ' => 'h',
        'ᴊ' => 'j',
        'ĸ' => 'k',
        'ʟ' => 'l',
        'ʍ' | 'μ' => 'm',
        'ɴ' => 'n',
        'ᴘ' => 'p',
        'ʀ' => 'r',
        'ᴛ' => 't',
        'ʉ' => 'u',
        'χ' => 'x',
        'ζ' => 'z',
        _ => return None,
    })
}

/// Whether this is an accent or a default-ignorable character, such as a zero-width one.
///
/// The skeleton of default-ignorable characters is empty.
fn is_unseen(c: char) -> bool {
    is_accent(c) || skeleton(c.encode_utf8(&mut [0; 4])).next().is_none()
}

/// Whether this is a combining mark that only modifies a letter.
///
/// The vowel signs of Indian scripts and Thai are combining marks too, but are kept: without them the
/// words are different ones.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{2DE0}'..='\u{2DFF}' | '\u{A66F}'..='\u{A672}' | '\u{FE20}'..='\u{FE2F}'
        // The points of Hebrew and Arabic, which are usually not written.
        | '\u{0591}'..='\u{05BD}' | '\u{05BF}' | '\u{05C1}'..='\u{05C2}' | '\u{05C4}'..='\u{05C5}' | '\u{05C7}'
        | '\u{0610}'..='\u{061A}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06DC}')
}
