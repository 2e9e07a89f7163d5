//! Undoes disguises of words: digits for letters, repeated letters, separated letters.
//!
//! The steps are ordered so that each leaves nothing for an earlier one, which makes the whole
//! idempotent.

use std::ops::Range;

/// One normalised character, and the range of bytes of the original text that it stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) letter: char,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether it stands for three or more of the same letter.
    pub(crate) repeated: bool,
}

/// Undoes all three disguises. The pieces must be lower case already.
pub(crate) fn undo(mut pieces: Vec<Piece>) -> Vec<Piece> {
    read_digits(&mut pieces);
    let pieces = join_spaced(shorten_runs(&pieces));
    shorten_runs(&pieces)
}

/// Whether [`undo`] would leave this ASCII text as it is, apart from its case.
///
/// A quick check that is true for most messages. It may be false for a text that would not change.
pub(crate) fn is_undisguised(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).all(|at| {
        let near = |by: isize| bytes.get(at.wrapping_add_signed(by)).map_or('\n', |byte| char::from(*byte));
        let alone = |by: isize| {
            let c = near(by);
            (c.is_ascii_alphabetic() || stands_in(c)) && !in_word(near(by - 1)) && !in_word(near(by + 1))
        };
        let c = near(0);
        let drawn_out =
            c.is_ascii_alphabetic() && c.eq_ignore_ascii_case(&near(-1)) && c.eq_ignore_ascii_case(&near(-2));
        let digit = stands_in(c) && (near(-1).is_ascii_alphabetic() || near(1).is_ascii_alphabetic());
        let bang = c == '!' && in_word(near(-1)) && in_word(near(1));
        let apart = || alone(0) && separates(near(-1)) && separates(near(1)) && alone(-2) && alone(2);
        !(drawn_out || digit || bang || apart())
    })
}

/// Returns the letter that a digit or sign stands in for.
fn stood_for(c: char) -> Option<char> {
    Some(match c {
        '4' | '@' => 'a',
        '8' => 'b',
        '3' | '€' => 'e',
        '9' => 'g',
        '1' | '!' => 'i',
        '0' => 'o',
        '5' | '$' => 's',
        '7' | '+' => 't',
        _ => return None,
    })
}

/// Whether a character stands in for a letter when it is next to a letter.
///
/// An exclamation mark does so only inside a word, and is not included.
fn stands_in(c: char) -> bool {
    c != '!' && stood_for(c).is_some()
}

/// Whether this is a letter of a script with upper and lower case.
///
/// Digits next to letters of other scripts are never read as letters: `第1回` contains no `i`.
fn is_letter(c: char) -> bool {
    c.is_lowercase()
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || stands_in(c)
}

fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, '.' | ',' | ':' | '-' | '_' | '*' | '/' | '\\' | '|' | '~' | '·' | '•' | '–' | '—')
}

/// Returns the runs of letters and their stand-ins.
fn tokens(pieces: &[Piece]) -> Vec<Range<usize>> {
    let plain = |at: usize| pieces.get(at).is_some_and(|piece| is_letter(piece.letter) || stands_in(piece.letter));
    let belongs = |at: usize| plain(at) || (at > 0 && pieces[at].letter == '!' && plain(at - 1) && plain(at + 1));
    let mut tokens: Vec<Range<usize>> = Vec::new();
    for at in (0..pieces.len()).filter(|at| belongs(*at)) {
        match tokens.last_mut() {
            Some(last) if last.end == at => last.end = at + 1,
            _ => tokens.push(at..at + 1),
        }
    }
    tokens
}

/// Replaces every stand-in of a token by its letter, if the token contains a letter.
///
/// Changes `v1agra`, `sh!t` and `a55`. `10:30` has no letter and stays.
fn read_digits(pieces: &mut [Piece]) {
    for token in tokens(pieces) {
        let token = &mut pieces[token];
        if token.iter().any(|piece| is_letter(piece.letter)) {
            for piece in token {
                piece.letter = stood_for(piece.letter).unwrap_or(piece.letter);
            }
        }
    }
}

/// Replaces three or more of a letter, as in `niiiice`, by one that is flagged as `repeated`.
fn shorten_runs(pieces: &[Piece]) -> Vec<Piece> {
    let mut short = Vec::with_capacity(pieces.len());
    for run in pieces.chunk_by(|left, right| left.letter == right.letter) {
        let length: usize = run.iter().map(|piece| if piece.repeated { 3 } else { 1 }).sum();
        match run {
            [first, .., last] if length >= 3 && first.letter.is_alphabetic() => {
                short.push(Piece { end: last.end, repeated: true, ..*first });
            }
            _ => short.extend_from_slice(run),
        }
    }
    short
}

/// Joins separated letters to a word, as in `b a d`, `b.a.d` and `v.1.a`.
///
/// It takes three or more single characters with one separator between each, at least two of them
/// letters.
fn join_spaced(pieces: Vec<Piece>) -> Vec<Piece> {
    let is_word =
        |at: Option<usize>| at.and_then(|at| pieces.get(at)).is_some_and(|piece| piece.letter.is_alphanumeric());
    let mut alone = vec![false; pieces.len()];
    for token in tokens(&pieces) {
        let at = token.start;
        // A plus between two letters means addition.
        alone[at] =
            token.len() == 1 && pieces[at].letter != '+' && !is_word(at.checked_sub(1)) && !is_word(Some(at + 1));
    }
    if alone.iter().filter(|alone| **alone).count() < 3 {
        return pieces;
    }
    let mut joined = Vec::with_capacity(pieces.len());
    let mut at = 0;
    while at < pieces.len() {
        let mut last = at;
        while alone[last] && alone.get(last + 2) == Some(&true) && separates(pieces[last + 1].letter) {
            last += 2;
        }
        let run = &pieces[at..=last];
        let letters = run.iter().filter(|piece| is_letter(piece.letter)).count();
        if run.len() >= 5 && letters >= 2 {
            let word = run.iter().step_by(2);
            joined
                .extend(word.map(|piece| Piece { letter: stood_for(piece.letter).unwrap_or(piece.letter), ..*piece }));
        } else {
            joined.extend_from_slice(run);
        }
        at = last + 1;
    }
    joined
}
