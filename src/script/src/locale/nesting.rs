//! The nesting depth of a Fluent file, measured without recursion.
//!
//! Fluent's parser recurses at every `{` and `(`, so a small file would overflow its stack.
//!
//! This follows the parser up to the first error that it would find. From there on the parser skips to the
//! next line that begins with a letter, `-` or `#`. Such a line is refused here if something is open, so that
//! both are in step again.

/// The maximum number of open placeables and calls. Real texts have three or four.
const OPEN_MAX: usize = 16;
/// The maximum length of a call's arguments, in bytes: the parser compares each name with all before it.
const CALL_BYTES_MAX: usize = 1_024;

/// The position and the reason of a refusal.
#[derive(Debug)]
pub(super) struct TooNested {
    /// The line, counted from 1.
    pub(super) line: usize,
    pub(super) problem: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A `{` in a text.
    InText,
    /// A `{` in place of a value.
    InValue,
    /// The arguments of a call.
    Call,
}

struct Open {
    at: usize,
    kind: Kind,
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    open: Vec<Open>,
    /// Whether the position is in a text, and not in a placeable.
    is_text: bool,
    /// The start of the outermost open call.
    call: Option<usize>,
}

/// Checks the nesting depth of a file.
///
/// # Errors
/// Returns the position at which a limit is exceeded.
pub(super) fn check(text: &str) -> Result<(), TooNested> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, open: Vec::new(), is_text: true, call: None };
    reader.read().map_err(|problem| {
        let before = &reader.bytes[..reader.at.min(reader.bytes.len())];
        TooNested { line: line_of(before), problem }
    })
}

fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), String> {
        self.begin_line()?;
        while let Some(byte) = self.bytes.get(self.at).copied() {
            if self.call.is_some_and(|start| self.at - start > CALL_BYTES_MAX) {
                return Err(format!("the arguments of a call have more than {CALL_BYTES_MAX} bytes"));
            }
            self.at += 1;
            match (byte, self.is_text) {
                (b'\n', _) => self.begin_line()?,
                (b'{', true) => self.open(Kind::InText)?,
                (b'{', false) => self.open(Kind::InValue)?,
                (b'(', false) => self.open(Kind::Call)?,
                (b')', false) => self.close(true),
                (b'}', false) => self.close(false),
                // A variant's text follows its key.
                (b']', false) => self.is_text = true,
                (b'"', false) => self.skip_string(),
                _ => {}
            }
        }
        Ok(())
    }

    /// Handles the start of a line: another entry, a comment, or the end of a variant's text.
    fn begin_line(&mut self) -> Result<(), String> {
        let first = self.bytes.get(self.at).copied().unwrap_or(b'\n');
        if first.is_ascii_alphabetic() || matches!(first, b'-' | b'#') {
            if let Some(open) = self.open.last() {
                let line = line_of(&self.bytes[..open.at]);
                return Err(format!("a line begins without indentation, and what line {line} opens is not closed"));
            }
            if first == b'#' {
                self.at += self.bytes[self.at..].iter().take_while(|byte| **byte != b'\n').count();
            }
            return Ok(());
        }
        if self.is_text && !self.open.is_empty() {
            let indent = self.bytes[self.at..].iter().take_while(|byte| **byte == b' ').count();
            self.is_text = match self.bytes.get(self.at + indent) {
                None => true,
                Some(byte) if indent == 0 => matches!(byte, b'\n' | b'\r' | b'{'),
                Some(byte) => !matches!(byte, b'.' | b'}' | b'[' | b'*'),
            };
        }
        Ok(())
    }

    fn open(&mut self, kind: Kind) -> Result<(), String> {
        let at = self.at - 1;
        self.open.push(Open { at, kind });
        self.is_text = false;
        if kind == Kind::Call {
            self.call.get_or_insert(at);
        }
        if self.open.len() > OPEN_MAX {
            return Err(format!("more than {OPEN_MAX} placeables and calls are nested in each other"));
        }
        Ok(())
    }

    fn close(&mut self, is_call: bool) {
        let Some(open) = self.open.pop_if(|open| (open.kind == Kind::Call) == is_call) else { return };
        self.is_text = open.kind == Kind::InText;
        if self.call == Some(open.at) {
            self.call = None;
        }
    }

    /// Skips the rest of a string, which ends with its line at the latest.
    fn skip_string(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => return,
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' if self.bytes.get(self.at + 1).is_some_and(|next| *next != b'\n') => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_people_write_passes() {
        for text in [
            "a = { $n ->\n    [one] { $m ->\n        [one] :( {\"{\"}\n       *[other] \"x\n    }\n   *[other] b\n}\n\
             b = {-t(x: \"}\")}\n",
            "# a comment with { { { {\n-t = text\n    .part = { $x } )))\n",
            "a =\n    { $x }\n{ $y }\n    end\n\nb = c\r\n    d { $e }\r\n",
        ] {
            check(text).unwrap();
        }
    }

    #[test]
    fn nesting_cannot_hide_behind_strings_comments_and_errors() {
        let deep = "{".repeat(40);
        for hidden in [
            format!("a = {deep}"),
            format!("a = {{\"\nb = {deep}"),
            format!("a = {{\"\\\nb = {deep}"),
            format!("a = {{ =\nb = \" {deep}"),
            format!("a = {{ $x ->\n  *[b] \" {deep}"),
            format!("a = {{ ] # {deep}"),
            format!("a = {{ A({}", "A(".repeat(40)),
            format!("a = {{ A({}) }}", "$x ".repeat(400)),
            format!("a = {}b\n{}", "{ $x ->\n *[b] ".repeat(40), " }".repeat(40)),
        ] {
            assert!(check(&hidden).is_err(), "{hidden}");
        }
    }
}
