//! The table of results in Markdown.

pub(crate) struct Report {
    rows: Vec<[String; 3]>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a figure, and what it is to be compared with.
    pub(crate) fn row(&mut self, what: &str, figure: String, reference: String) {
        let mut err = std::io::stderr().lock();
        drop(std::io::Write::write_fmt(&mut err, format_args!("{what}: {figure} ({reference})\n")));
        self.rows.push([what.to_owned(), figure, reference]);
    }

    pub(crate) fn print(&self) {
        let mut text = String::from("| what | figure | compared with |\n|---|---|---|\n");
        for [what, figure, reference] in &self.rows {
            text.push_str(&format!("| {what} | {figure} | {reference} |\n"));
        }
        let mut out = std::io::stdout().lock();
        drop(std::io::Write::write_all(&mut out, text.as_bytes()));
    }
}

/// Formats a number with separators: 1234567.8 is "1,234,568".
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
