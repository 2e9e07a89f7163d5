use std::ops::Range;

use crate::normalise::Normalised;

/// The length of a run that was stretched.
const STRETCHED: u8 = 3;

/// A normalised text with each run of a letter as one, and how long the runs were: what word lists look in.
///
/// Whoever stretches a word loses count of its letters, so a stretched run of the text agrees with any run of a word;
/// the others agree with runs of their own length.
#[derive(Debug)]
pub(crate) struct Squeezed {
    text: String,
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    letter: char,
    /// Where it is in the squeezed text.
    at: usize,
    run: u8,
    /// The bytes of the original.
    start: usize,
    end: usize,
}

impl Squeezed {
    pub(crate) fn new(normalised: &Normalised) -> Self {
        let mut text = String::with_capacity(normalised.text().len());
        let mut cells: Vec<Cell> = Vec::with_capacity(normalised.text().len());
        for piece in normalised.pieces() {
            match cells.last_mut() {
                // Normalising leaves no run of three, and no letter beside its own stretched run.
                Some(last) if last.letter == piece.letter && piece.letter.is_alphabetic() => {
                    last.run = 2;
                    last.end = piece.end;
                }
                _ => {
                    let run = if piece.stretched { STRETCHED } else { 1 };
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

    /// The lengths of the runs.
    pub(crate) fn runs(&self) -> Box<[u8]> {
        self.cells.iter().map(|cell| cell.run).collect()
    }

    /// Whether the part of the text can be the word with these runs.
    pub(crate) fn agrees(&self, range: &Range<usize>, runs: &[u8]) -> bool {
        self.cells(range).iter().zip(runs).all(|(cell, run)| cell.run == *run || cell.run == STRETCHED)
    }

    /// The bytes of the original that the part stands for.
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
