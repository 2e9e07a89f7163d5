use std::ops::Range;

use crate::normalise::Normalised;

/// The length stored for a run of three or more.
const REPEATED: u8 = 3;

/// A normalised text with each run of a letter collapsed to one, and the lengths of the runs.
///
/// Word lists are searched for in this form. A run of three or more may stand for any number of
/// letters, so it matches a run of any length in a word. Other runs match runs of the same length.
#[derive(Debug)]
pub(crate) struct Squeezed {
    text: String,
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    letter: char,
    /// Its byte offset in the squeezed text.
    at: usize,
    run: u8,
    /// Its range of bytes in the original.
    start: usize,
    end: usize,
}

impl Squeezed {
    pub(crate) fn new(normalised: &Normalised) -> Self {
        let mut text = String::with_capacity(normalised.text().len());
        let mut cells: Vec<Cell> = Vec::with_capacity(normalised.text().len());
        for piece in normalised.pieces() {
            match cells.last_mut() {
                // Normalising leaves no run of three, and no letter next to its own collapsed run.
                Some(last) if last.letter == piece.letter && piece.letter.is_alphabetic() => {
                    last.run = 2;
                    last.end = piece.end;
                }
                _ => {
                    let run = if piece.repeated { REPEATED } else { 1 };
                    cells.push(Cell { letter: piece.letter, at: text.len(), run, start: piece.start, end: piece.end });
                    text.push(piece.letter);
                }
            }
        }
        Self { text, cells }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the lengths of the runs.
    pub(crate) fn runs(&self) -> Box<[u8]> {
        self.cells.iter().map(|cell| cell.run).collect()
    }

    /// Whether this range of the text matches a word with these runs.
    pub(crate) fn agrees(&self, range: &Range<usize>, runs: &[u8]) -> bool {
        self.cells(range).iter().zip(runs).all(|(cell, run)| cell.run == *run || cell.run == REPEATED)
    }

    /// Maps a byte range of the squeezed text to one of the original.
    pub(crate) fn original(&self, range: &Range<usize>) -> Range<usize> {
        match self.cells(range) {
            [] => 0..0,
            [one] => one.start..one.end,
            [first, .., last] => first.start..last.end,
        }
    }

    fn cells(&self, range: &Range<usize>) -> &[Cell] {
        let first = self.cells.partition_point(|cell| cell.at < range.start);
        let end = self.cells.partition_point(|cell| cell.at < range.end);
        &self.cells[first..end]
    }
}
