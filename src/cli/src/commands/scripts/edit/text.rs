//! Lines of YAML in the block style, as far as keys and how far they stand in. This is no parser, and nothing that is
//! found here is believed before a parser has read the result.

/// A text by its lines, each with its ending.
pub(super) struct Text {
    lines: Vec<String>,
    newline: &'static str,
}

/// A key on a line of its own.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    /// The line's index.
    pub(super) line: usize,
    /// How far it stands in.
    pub(super) indent: usize,
    /// The index after the last line that belongs to it.
    pub(super) end: usize,
    /// What stands behind it on its line, without a comment.
    pub(super) value: String,
    /// Where on the line that begins.
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

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The keys on the lines from `from` to before `to`, without those below them. `None` when it is not keys that
    /// stand there.
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
                // It belongs to the key above it.
                keys.last_mut()?.end = line + 1;
            }
        }
        Some(keys)
    }

    /// The entries of the list under `key`, each with how far it stands in.
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

    /// Puts lines in before the line `at`.
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

    /// Puts lines at the end, after an empty one.
    pub(super) fn append(&mut self, lines: &[String]) {
        if self.lines.last().is_some_and(|last| !last.trim().is_empty()) {
            self.insert(self.len(), &[String::new()]);
        }
        self.insert(self.len(), lines);
    }

    /// Puts `value` in the place of the key's value. `None` when there is none on its line.
    pub(super) fn replace_value(&mut self, key: &Key, value: &str) -> Option<()> {
        let end = key.start + key.value.len();
        let line = self.lines.get_mut(key.line)?;
        if key.value.is_empty() || line.get(key.start..end)? != key.value {
            return None;
        }
        line.replace_range(key.start..end, value);
        Some(())
    }

    /// Makes a comment of the key and of what belongs to it.
    pub(super) fn comment_out(&mut self, key: &Key) {
        for line in &mut self.lines[key.line..key.end] {
            let indent = line.len() - line.trim_start_matches(' ').len();
            if !line.trim().is_empty() {
                line.insert_str(indent.min(key.indent), "# ");
            }
        }
    }
}

/// How far a line stands in, and what is on it; `None` where there is nothing but a comment.
fn content(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_end();
    let content = line.trim_start_matches(' ');
    (!content.is_empty() && !content.starts_with('#')).then_some((line.len() - content.len(), content))
}

fn is_item(content: &str) -> bool {
    content == "-" || content.starts_with("- ")
}

/// The key that a line begins with, and where it is over, after the colon.
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

/// What stands before a comment.
fn without_comment(text: &str) -> &str {
    if text.trim_start().starts_with('#') {
        return "";
    }
    text.find(" #").map_or(text, |at| &text[..at])
}
