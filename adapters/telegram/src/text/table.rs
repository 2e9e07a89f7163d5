//! Tables, as lines of equal width.

use pulldown_cmark::Alignment;
use unicode_width::UnicodeWidthStr;

/// Maximum width to which cells are padded.
///
/// A longer cell sticks out, which costs less than as many spaces in every row.
const PADDING_MAX: usize = 60;

/// A table that is being read.
#[derive(Default)]
pub(super) struct Table {
    pub(super) alignments: Vec<Alignment>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(alignments: Vec<Alignment>) -> Self {
        Self { alignments, rows: Vec::new() }
    }

    pub(super) fn add_cell(&mut self, cell: String) {
        if let Some(row) = self.rows.last_mut() {
            row.push(cell.replace('\n', " ").trim().to_owned());
        }
    }

    /// Returns the rows, with a rule below the first.
    pub(super) fn written(&self) -> String {
        let columns = self.alignments.len();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
        let widths: Vec<usize> =
            (0..columns).map(|column| width(column).unwrap_or_default().min(PADDING_MAX)).collect();
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        for (at, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).zip(&self.alignments);
            let cells: Vec<_> = cells.map(|((cell, width), alignment)| padded(cell, *width, *alignment)).collect();
            lines.push(cells.join(" | ").trim_end().to_owned());
            if at == 0 {
                lines.push(widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("-+-"));
            }
        }
        lines.join("\n")
    }
}

fn padded(cell: &str, width: usize, alignment: Alignment) -> String {
    let room = width.saturating_sub(cell.width());
    let before = match alignment {
        Alignment::None | Alignment::Left => 0,
        Alignment::Center => room / 2,
        Alignment::Right => room,
    };
    format!("{}{cell}{}", " ".repeat(before), " ".repeat(room - before))
}
