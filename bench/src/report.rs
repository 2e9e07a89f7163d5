//! The table of results, as Markdown.

pub(crate) struct Report {
    rows: Vec<[String; 3]>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// One figure, and what it is to be compared with.
    pub(crate) fn row(&mut self, what: &str, figure: String, beside: String) {
        let mut err = std::io::stderr().lock();
        drop(std::io::Write::write_fmt(&mut err, format_args!("{what}: {figure} ({beside})\n")));
        self.rows.push([what.to_owned(), figure, beside]);
    }

    pub(crate) fn print(&self) {
        let mut text = String::from("| what | figure | beside |\n|---|---|---|\n");
        for [what, figure, beside] in &self.rows {
            text.push_str(&format!("| {what} | {figure} | {beside} |\n"));
        }
        let mut out = std::io::stdout().lock();
        drop(std::io::Write::write_all(&mut out, text.as_bytes()));
    }
}

/// A number with separators: 1234567.8 is "1,234,568".
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
