use std::ops::Range;

use crate::disguise::{Piece, is_undisguised, undo};
use crate::shape::read;

/// The number of characters between two calls of `goes_on`.
const CHARS_PER_CHECK: usize = 1_000;

/// A normalised text, with the position in the original of each of its characters.
#[derive(Debug, Clone)]
pub struct Normalised {
    text: String,
    /// `None` if all byte offsets are the same as in the original.
    pieces: Option<Vec<Piece>>,
}

/// Undoes everything that hides a word from a filter.
///
/// In this order:
///
/// 1. Characters become the plain lower-case letters that they look like (`Ｆｕｌｌ`, `𝓫ⓐd`, `é`, `ß` as
///    `ss`, the Cyrillic `раура`, letters with many accents). Invisible characters, such as
///    zero-width joiners, are removed.
/// 2. Digits and signs that stand in for letters (`4@` `8` `3€` `9` `1!` `0` `5$` `7+`) become letters
///    where they touch a letter, so that plain numbers stay.
/// 3. Three or more of a letter become one.
/// 4. Words of three or more letters with one separator between each (`b a d`, `b.a.d`) are joined.
///
/// Two of a letter stay two: `class` is not `clas`. A letter written three or more times may have been
/// a single or a double one, so a word list finds both `ass` and `as` in `asssss`, and `class` in
/// `claaasss`, but not `ass` in `as`.
///
/// Normalising is idempotent. The result has at most eight times as many characters as the text.
#[must_use]
pub fn normalise(text: &str) -> Normalised {
    normalise_while(text, &|| true).unwrap_or(Normalised { text: String::new(), pieces: None })
}

/// Does the same as [`normalise`] while `goes_on` returns true, else returns `None`.
///
/// `goes_on` is called every 1,000 characters.
#[must_use]
pub fn normalise_while(text: &str, goes_on: &dyn Fn() -> bool) -> Option<Normalised> {
    if text.is_ascii() && is_undisguised(text) {
        return Some(Normalised { text: text.to_ascii_lowercase(), pieces: None });
    }
    let mut pieces: Vec<Piece> = Vec::with_capacity(text.len());
    for (count, (start, c)) in text.char_indices().enumerate() {
        if count % CHARS_PER_CHECK == 0 && !goes_on() {
            return None;
        }
        let end = start + c.len_utf8();
        let before = pieces.len();
        read(c, |letter| pieces.push(Piece { letter, start, end, repeated: false }));
        // An accent or a joiner belongs to the letter before it, so that both are cut out together.
        if pieces.len() == before
            && let Some(last) = pieces.last_mut()
        {
            last.end = end;
        }
    }
    let pieces = undo(pieces);
    Some(Normalised { text: pieces.iter().map(|piece| piece.letter).collect(), pieces: Some(pieces) })
}

impl Normalised {
    /// Returns the normalised text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the normalised text as an owned string.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// Maps a byte range of [`Self::text`] to one of the original.
    ///
    /// The result covers whole characters, from the first to the last that contributed to the range.
    /// An empty range gives `0..0`.
    #[must_use]
    pub fn original(&self, range: Range<usize>) -> Range<usize> {
        let mut found: Option<Range<usize>> = None;
        let mut at = 0;
        for piece in self.pieces() {
            let next = at + piece.letter.len_utf8();
            if at < range.end && range.start < next {
                let start = found.map_or(piece.start, |found| found.start);
                found = Some(start..piece.end);
            }
            at = next;
        }
        found.unwrap_or(0..0)
    }

    /// Iterates over the characters of the text.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece> {
        let unmoved = if self.pieces.is_none() { self.text.as_str() } else { "" };
        let unmoved = unmoved.char_indices().map(|(start, letter)| Piece {
            letter,
            start,
            end: start + letter.len_utf8(),
            repeated: false,
        });
        self.pieces.iter().flatten().copied().chain(unmoved)
    }
}
