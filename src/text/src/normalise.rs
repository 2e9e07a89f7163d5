use std::ops::Range;

use crate::disguise::{Piece, is_undisguised, undo};
use crate::shape::read;

/// So many characters, and it is asked whether to go on.
const ASKED_EVERY: usize = 1_000;

/// A text as a reader takes it, and where each part of it came from.
#[derive(Debug, Clone)]
pub struct Normalised {
    text: String,
    /// `None` where every byte came from the byte at its own place.
    pieces: Option<Vec<Piece>>,
}

/// Sees through what hides a word from a filter.
///
/// In this order: characters are read as the plain small letters that they show (`Ｆｕｌｌ`, `𝓫ⓐd`, `é`, `ß` as `ss`, the
/// Cyrillic `раура`, letters under a pile of accents), and those that show nothing, such as zero-width joiners, vanish;
/// digits and signs that stand in for letters (`4@` `8` `3€` `9` `1!` `0` `5$` `7+`) are read as letters where they
/// touch one, so that plain numbers stay; three or more of a letter become one; and words of three or more letters that
/// are set one separator apart (`b a d`, `b.a.d`) are joined.
///
/// Two of a letter stay two: `class` is not `clas`. What was stretched may have been either, so a word list finds both
/// `ass` and `as` in `asssss`, and `class` in `claaasss`, but not `ass` in `as`.
///
/// A text that has been normalised is not changed by a second time, and is at most eight times as many characters long as it was.
#[must_use]
pub fn normalise(text: &str) -> Normalised {
    normalise_while(text, &|| true).unwrap_or(Normalised { text: String::new(), pieces: None })
}

/// As [`normalise`], as long as `goes_on`, which is asked every thousand characters. `None` where it said no.
#[must_use]
pub fn normalise_while(text: &str, goes_on: &dyn Fn() -> bool) -> Option<Normalised> {
    if text.is_ascii() && is_undisguised(text) {
        return Some(Normalised { text: text.to_ascii_lowercase(), pieces: None });
    }
    let mut pieces: Vec<Piece> = Vec::with_capacity(text.len());
    for (count, (start, c)) in text.char_indices().enumerate() {
        if count % ASKED_EVERY == 0 && !goes_on() {
            return None;
        }
        let end = start + c.len_utf8();
        let before = pieces.len();
        read(c, |letter| pieces.push(Piece { letter, start, end, stretched: false }));
        // An accent or a joiner belongs to the letter before it: who cuts that letter out cuts them out too.
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
    /// The text as it is read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// The bytes of the original that these bytes of [`Self::text`] stand for: whole characters, from the first to the
    /// last that has a part in them. An empty range gives `0..0`.
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

    /// The characters of the text one by one.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece> {
        let unmoved = if self.pieces.is_none() { self.text.as_str() } else { "" };
        let unmoved = unmoved.char_indices().map(|(start, letter)| Piece {
            letter,
            start,
            end: start + letter.len_utf8(),
            stretched: false,
        });
        self.pieces.iter().flatten().copied().chain(unmoved)
    }
}
