//! The byte order mark of text files.

/// Removes the byte order mark (U+FEFF) that some editors write at the start of UTF-8 files.
#[must_use]
pub fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}
