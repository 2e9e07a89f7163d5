//! Line-based editing of block-style YAML, by keys and indentation.
//!
//! This is not a parser; the caller verifies the result with one.

/// A text as lines, each with its line ending.
pub(super) struct Text {
    lines: Vec<String>,
    newline: &'static str,
}

/// A key on a line of its own.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    /// The index of its line.
    pub(super) line: usize,
    /// Its indentation, in spaces.
    pub(super) indent: usize,
    /// The index after the last line that belongs to it.
    pub(super) end: usize,
    /// The value on its line, without a comment.
    pub(super) value: String,
    /// The byte offset of the value in its line.
    start: usize,
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self { lines: text.split_inclusive('\n').map(str::to_owned).collect(), newline }
    }

    pub(super) fn into_string(self) -> String {
        self.lines.concat()
    }

    /// Returns the number of lines.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns the top-level keys of the lines `from..to`; `None` if they are not a block mapping.
    pub(super) fn keys(&self, from: usize, to: usize) -> Option<Vec<Key>> {
        let mut keys: Vec<Key> = Vec::new();
        for (line, text) in self.lines.iter().enumerate().take(to).skip(from) {
            let Some((indent, content)) = content(text) else { continue };
            if keys.is_empty() && indent == 0 && content.starts_with("---") {
                continue;
            }
            let level = keys.first().map_or(indent, |key| key.indent);
            if indent < level {
                return None;
            }
            let key = split_key(content).filter(|_| indent == level && !is_item(content));
            if let Some((name, behind)) = key {
                let value = without_comment(&content[behind..]);
                let lead = value.len() - value.trim_start().len();
                let start = indent + behind + lead;
                keys.push(Key { name, line, indent, end: line + 1, value: value.trim().to_owned(), start });
            } else {
                // The line belongs to the key above it.
                keys.last_mut()?.end = line + 1;
            }
        }
        Some(keys)
    }

    /// Returns the entries of the list under `key`, each with its indentation.
    pub(super) fn items(&self, key: &Key) -> Vec<(usize, String)> {
        let contents = self.lines[key.line + 1..key.end].iter().filter_map(|line| content(line));
        contents
            .filter(|(_, content)| is_item(content))
            .map(|(indent, content)| {
                let item = without_comment(&content[1..]).trim();
                (indent, item.trim_matches(['"', '\'']).to_owned())
            })
            .collect()
    }

    /// Inserts lines before the line `at`.
    pub(super) fn insert(&mut self, at: usize, lines: &[String]) {
        let newline = self.newline;
        if at > 0
            && let Some(before) = self.lines.get_mut(at - 1)
            && !before.ends_with('\n')
        {
            before.push_str(newline);
        }
        let lines: Vec<_> = lines.iter().map(|line| format!("{line}{newline}")).collect();
        drop(self.lines.splice(at..at, lines));
    }

    /// Appends lines after an empty line.
    pub(super) fn append(&mut self, lines: &[String]) {
        if self.lines.last().is_some_and(|last| !last.trim().is_empty()) {
            self.insert(self.len(), &[String::new()]);
        }
        self.insert(self.len(), lines);
    }

    /// Replaces the value of a key; `None` if it has none on its line.
    pub(super) fn replace_value(&mut self, key: &Key, value: &str) -> Option<()> {
        let end = key.start + key.value.len();
        let line = self.lines.get_mut(key.line)?;
        if key.value.is_empty() || line.get(key.start..end)? != key.value {
            return None;
        }
        line.replace_range(key.start..end, value);
        Some(())
    }

    /// Comments out a key and the lines that belong to it.
    pub(super) fn comment_out(&mut self, key: &Key) {
        for line in &mut self.lines[key.line..key.end] {
            let indent = line.len() - line.trim_start_matches(' ').len();
            if !line.trim().is_empty() {
                line.insert_str(indent.min(key.indent), "# ");
            }
        }
    }
}

/// Returns the indentation and content of a line; `None` if it is blank or a comment.
fn content(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_end();
    let content = line.trim_start_matches(' ');
    (!content.is_empty() && !content.starts_with('#')).then_some((line.len() - content.len(), content))
}

fn is_item(content: &str) -> bool {
    content == "-" || content.starts_with("- ")
}

/// Returns the key at the beginning of a line, and the offset after its colon.
fn split_key(content: &str) -> Option<(String, usize)> {
    let quote = content.chars().next().filter(|c| *c == '"' || *c == '\'');
    let (name, colon) = match quote {
        Some(quote) => {
            let end = content[1..].find(quote)? + 1;
            (&content[1..end], end + 1)
        }
        None => {
            let colon = content.match_indices(':').map(|(at, _)| at).find(|at| ends_key(content, at + 1))?;
            (content[..colon].trim_end(), colon)
        }
    };
    let is_key = content[colon..].starts_with(':') && ends_key(content, colon + 1);
    (is_key && !name.is_empty() && !name.contains(['\\', '{', '[', '#'])).then(|| (name.to_owned(), colon + 1))
}

fn ends_key(content: &str, at: usize) -> bool {
    content[at..].is_empty() || content[at..].starts_with([' ', '\t'])
}

/// Returns the text before a comment.
fn without_comment(text: &str) -> &str {
    if text.trim_start().starts_with('#') {
        return "";
    }
    text.find(" #").map_or(text, |at| &text[..at])
}
