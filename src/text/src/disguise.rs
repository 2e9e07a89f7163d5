//! Words in disguise: digits for letters, letters drawn out, letters set apart.
//!
//! The steps are in an order in which each leaves nothing that an earlier one would still find, so that a text which
//! went through once goes through again unchanged.

use std::ops::Range;

/// One character of the reading, and the bytes of the original that it stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) letter: char,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// It stands for three or more of the same letter.
    pub(crate) stretched: bool,
}

/// Undoes all three disguises. The pieces are small letters already.
pub(crate) fn undo(mut pieces: Vec<Piece>) -> Vec<Piece> {
    read_digits(&mut pieces);
    let pieces = join_spaced(shorten_runs(&pieces));
    shorten_runs(&pieces)
}

/// Whether the steps would leave this ASCII text as it is, but for its case. It may say no where they would: the answer
/// is quick, and most messages get a yes.
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

/// The letter that a character is written for.
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

/// Whether a character stands in for a letter beside any letter; an exclamation mark does so only within a word.
fn stands_in(c: char) -> bool {
    c != '!' && stood_for(c).is_some()
}

/// A letter of a script that has cases. In the others no digit is taken for a letter: `第1回` is not spelled with an `i`.
fn is_letter(c: char) -> bool {
    c.is_lowercase()
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || stands_in(c)
}

fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, '.' | ',' | ':' | '-' | '_' | '*' | '/' | '\\' | '|' | '~' | '·' | '•' | '–' | '—')
}

/// The runs of letters and of what may stand in for them.
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

/// `v1agra`, `sh!t`, `a55`: every stand-in of a token that has a letter becomes one. `10:30` has none and stays.
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

/// `niiiice`: three or more of a letter become one, which remembers that it was stretched.
fn shorten_runs(pieces: &[Piece]) -> Vec<Piece> {
    let mut short = Vec::with_capacity(pieces.len());
    for run in pieces.chunk_by(|left, right| left.letter == right.letter) {
        let length: usize = run.iter().map(|piece| if piece.stretched { 3 } else { 1 }).sum();
        match run {
            [first, .., last] if length >= 3 && first.letter.is_alphabetic() => {
                short.push(Piece { end: last.end, stretched: true, ..*first });
            }
            _ => short.extend_from_slice(run),
        }
    }
    short
}

/// `b a d`, `b.a.d`, `v.1.a`: three or more characters that stand alone, each one separator apart, and at least two of
/// them letters, become one word.
fn join_spaced(pieces: Vec<Piece>) -> Vec<Piece> {
    let is_word =
        |at: Option<usize>| at.and_then(|at| pieces.get(at)).is_some_and(|piece| piece.letter.is_alphanumeric());
    let mut alone = vec![false; pieces.len()];
    for token in tokens(&pieces) {
        let at = token.start;
        // A plus between two letters is a sum.
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
