//! Parser for the declarations in the type definitions: functions, globals, classes and type aliases.

use super::tokens::Reader;
use super::types::{Field, Shape, Signature, Type, flat};

/// A declaration.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) declaration: Declaration,
}

/// The kinds of declarations.
#[derive(Debug)]
pub(super) enum Declaration {
    /// `declare function name(…): …`
    Function(Signature),
    /// `declare name: …`
    Global(Type),
    /// `declare extern type Name extends Parent with … end`
    Class { parent: Option<String>, members: Vec<Field> },
    /// `export type Name = …`, with its text.
    Alias { of: Type, text: String },
}

/// Parses all declarations of `source`. Returns also the parts that are none.
pub(super) fn statements(source: &str) -> (Vec<Statement>, Vec<String>) {
    let mut reader = Reader::new(source);
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    while reader.peek(0).is_some() {
        let begin = reader.at;
        match reader.statement() {
            Some(statement) => found.push(statement),
            None => {
                reader.at = begin;
                unread.push(reader.skip_statement());
            }
        }
    }
    (found, unread)
}

impl Reader<'_> {
    fn statement(&mut self) -> Option<Statement> {
        let doc = self.doc();
        if !self.eat("declare") {
            self.eat("export");
            self.expect("type")?;
            return self.alias(doc);
        }
        if self.eat("function") {
            let name = self.word()?;
            return Some(Statement { name, doc, declaration: Declaration::Function(self.signature()?) });
        }
        if self.is(0, "extern") && self.is(1, "type") {
            self.take();
            self.take();
            return self.class(doc);
        }
        if self.is(0, "class") && !self.is(1, ":") {
            self.take();
            return self.class(doc);
        }
        let name = self.word()?;
        self.expect(":")?;
        Some(Statement { name, doc, declaration: Declaration::Global(self.read_type()?) })
    }

    fn alias(&mut self, doc: String) -> Option<Statement> {
        let name = self.word()?;
        if self.is(0, "<") {
            self.skip("<", ">")?;
        }
        self.expect("=")?;
        let start = self.peek(0)?.start;
        let of = self.read_type()?;
        Some(Statement { name, doc, declaration: Declaration::Alias { of, text: self.since(start).to_owned() } })
    }

    fn class(&mut self, doc: String) -> Option<Statement> {
        let name = self.word()?;
        let parent = if self.eat("extends") { Some(self.word()?) } else { None };
        self.eat("with");
        Some(Statement { name, doc, declaration: Declaration::Class { parent, members: self.members()? } })
    }

    fn members(&mut self) -> Option<Vec<Field>> {
        let mut members = Vec::new();
        loop {
            let doc = self.doc();
            if self.eat("end") {
                return Some(members);
            }
            if self.eat("function") {
                let name = self.word()?;
                let shape = Shape::Function(self.signature()?);
                let of = Type { text: String::new(), optional: false, shape };
                members.push(Field { name, doc, of, method: true });
            } else if self.is(0, "[") || self.is(1, ":") || self.is(2, ":") {
                members.extend(self.field(doc)?);
            } else {
                return None;
            }
        }
    }

    /// Skips to the next line that looks like a declaration. Returns the skipped text.
    fn skip_statement(&mut self) -> String {
        let start = self.take().map_or(0, |token| token.start);
        while let Some(token) = self.peek(0) {
            if self.begins_line(token) && matches!(token.text, "declare" | "export" | "type") {
                break;
            }
            self.take();
        }
        flat(self.since(start))
    }
}
