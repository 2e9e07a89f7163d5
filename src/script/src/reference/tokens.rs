//! Tokeniser for the type definitions. It keeps doc comments and skips other comments.

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// A string with its quotation marks.
    Text,
    /// Anything else.
    Symbol,
    /// A comment that begins with three dashes.
    Doc,
}

/// A token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// The byte offset of its start.
    pub(super) start: usize,
}

impl Token<'_> {
    /// Returns the byte offset of its end.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// A cursor over the tokens. The other files of this module add the grammar.
pub(super) struct Reader<'a> {
    source: &'a str,
    tokens: Vec<Token<'a>>,
    /// The number of tokens consumed.
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, tokens: tokens(source), at: 0 }
    }

    /// Returns the token `ahead` positions after the next one, without doc comments.
    pub(super) fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.iter().skip(self.at).filter(|token| token.kind != Kind::Doc).nth(ahead).copied()
    }

    /// Consumes the next token.
    pub(super) fn take(&mut self) -> Option<Token<'a>> {
        while let Some(token) = self.tokens.get(self.at).copied() {
            self.at += 1;
            if token.kind != Kind::Doc {
                return Some(token);
            }
        }
        None
    }

    /// Whether the token `ahead` positions after the next one has this text.
    pub(super) fn is(&self, ahead: usize, text: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.text == text)
    }

    /// Consumes the next token if it has this text.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.is(0, text);
        if found {
            self.take();
        }
        found
    }

    /// Like [`Reader::eat`], for a required token.
    pub(super) fn expect(&mut self, text: &str) -> Option<()> {
        self.eat(text).then_some(())
    }

    pub(super) fn word(&mut self) -> Option<String> {
        let token = self.peek(0).filter(|token| token.kind == Kind::Word)?;
        self.take();
        Some(token.text.to_owned())
    }

    /// Consumes the doc comment at the current position, without its dashes.
    pub(super) fn doc(&mut self) -> String {
        let mut lines = Vec::new();
        while let Some(token) = self.tokens.get(self.at).filter(|token| token.kind == Kind::Doc) {
            lines.push(token.text.trim_start_matches('-').trim());
            self.at += 1;
        }
        lines.join("\n")
    }

    /// Skips from `open` to the matching `close`.
    pub(super) fn skip(&mut self, open: &str, close: &str) -> Option<()> {
        self.expect(open)?;
        let mut depth = 1;
        while depth > 0 {
            let text = self.take()?.text;
            if text == open {
                depth += 1;
            } else if text == close {
                depth -= 1;
            }
        }
        Some(())
    }

    /// Returns the source from `start` to the end of the last token consumed.
    pub(super) fn since(&self, start: usize) -> &'a str {
        let end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(start, Token::end);
        self.source.get(start..end).unwrap_or_default()
    }

    /// Whether a token is the first of its line.
    pub(super) fn begins_line(&self, token: Token<'_>) -> bool {
        self.source.get(..token.start).is_none_or(|before| before.is_empty() || before.ends_with('\n'))
    }
}

/// Splits `source` into tokens.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < source.len() {
        let rest = &source[start..];
        let (kind, length) = first(rest);
        if let Some(kind) = kind {
            found.push(Token { kind, text: &rest[..length], start });
        }
        start += length;
    }
    found
}

/// Returns the kind and length of the first token; no kind for white space and plain comments.
fn first(rest: &str) -> (Option<Kind>, usize) {
    let until = |end: Option<usize>| end.unwrap_or(rest.len());
    if rest.starts_with("--[[") {
        return (None, until(rest.find("]]").map(|at| at + 2)));
    }
    if rest.starts_with("--") {
        // A line of dashes is a separator.
        let documents = rest.starts_with("---") && !rest.starts_with("----");
        return (documents.then_some(Kind::Doc), until(rest.find('\n')));
    }
    if rest.starts_with("->") {
        return (Some(Kind::Symbol), 2);
    }
    if rest.starts_with("...") {
        return (Some(Kind::Symbol), 3);
    }
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => (Some(Kind::Text), quoted(rest, quote)),
        Some(letter) if is_word(letter) => (Some(Kind::Word), until(rest.find(|letter: char| !is_word(letter)))),
        Some(blank) if blank.is_whitespace() => (None, blank.len_utf8()),
        Some(symbol) => (Some(Kind::Symbol), symbol.len_utf8()),
        None => (None, 1),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Returns the length of the string literal at the start of `rest`.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        if letter == quote && !escaped {
            return at + quote.len_utf8();
        }
        escaped = letter == '\\' && !escaped;
    }
    rest.len()
}
