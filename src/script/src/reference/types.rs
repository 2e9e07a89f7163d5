//! Parser for types in the type definitions: functions, tables, and combinations of them.

use super::item::Parameter;
use super::tokens::{Kind, Reader};

/// A type, as far as the reference needs it.
#[derive(Debug, Clone)]
pub(super) struct Type {
    /// The type as written, on one line.
    pub(super) text: String,
    /// Whether nil is one of its values.
    pub(super) optional: bool,
    pub(super) shape: Shape,
}

/// The structure of a type.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Function(Signature),
    /// A table in which all fields are named.
    Table(Vec<Field>),
    /// An intersection: `A & B`.
    All(Vec<Type>),
    /// A type name.
    Name(String),
    Other,
}

/// The parameters and the return type of a function.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) parameters: Vec<Parameter>,
    pub(super) returns: String,
}

impl Signature {
    /// Merges two signatures of one function that can be called in two ways.
    pub(super) fn or(mut self, other: &Self) -> Self {
        for (at, parameter) in self.parameters.iter_mut().enumerate() {
            match other.parameters.get(at) {
                Some(same) => {
                    parameter.optional |= same.optional;
                    parameter.variadic |= same.variadic;
                    if same.type_text != parameter.type_text {
                        parameter.type_text = "any".to_owned();
                    }
                }
                None => parameter.optional = true,
            }
        }
        let more = other.parameters.iter().skip(self.parameters.len());
        let more: Vec<_> = more.map(|parameter| Parameter { optional: true, ..parameter.clone() }).collect();
        self.parameters.extend(more);
        if self.returns != other.returns {
            self.returns = format!("{} | {}", self.returns, other.returns);
        }
        self
    }
}

/// A field or a method.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) of: Type,
    /// Whether it is called with a colon.
    pub(super) method: bool,
}

/// Type grammar. All functions return `None` for a construct that they do not know.
impl Reader<'_> {
    pub(super) fn read_type(&mut self) -> Option<Type> {
        let start = self.peek(0)?.start;
        if !self.eat("|") {
            self.eat("&");
        }
        let mut parts = vec![self.part()?];
        let mut either = false;
        loop {
            if self.eat("|") {
                either = true;
            } else if !self.eat("&") {
                break;
            }
            parts.push(self.part()?);
        }
        let text = flat(self.since(start));
        if parts.len() == 1 {
            return parts.pop().map(|only| Type { text, ..only });
        }
        let optional = either && parts.iter().any(|part| part.optional);
        Some(Type { text, optional, shape: if either { Shape::Other } else { Shape::All(parts) } })
    }

    /// Parses one member of a union or an intersection.
    fn part(&mut self) -> Option<Type> {
        let token = self.peek(0)?;
        let (shape, mut optional) = match (token.kind, token.text) {
            (Kind::Symbol, "(") => self.parenthesised()?,
            (Kind::Symbol, "<") => {
                self.skip("<", ">")?;
                self.parenthesised()?
            }
            (Kind::Symbol, "{") => (self.table()?, false),
            (Kind::Symbol, "...") => {
                self.take();
                self.part()?;
                (Shape::Other, false)
            }
            (Kind::Text, _) => {
                self.take();
                (Shape::Other, false)
            }
            (Kind::Word, name) => (self.named()?, name == "nil"),
            _ => return None,
        };
        while self.eat("?") {
            optional = true;
        }
        Some(Type { text: flat(self.since(token.start)), optional, shape })
    }

    /// Parses a function type, a list of types, or a type in parentheses.
    ///
    /// Returns also whether it is optional.
    fn parenthesised(&mut self) -> Option<(Shape, bool)> {
        let (parameters, alone) = self.parameters()?;
        if self.eat("->") {
            let returns = self.read_type()?.text;
            return Some((Shape::Function(Signature { parameters, returns }), false));
        }
        Some(alone.map_or((Shape::Other, false), |inner| (inner.shape, inner.optional)))
    }

    /// Parses a list in parentheses; returns also the type in it, if it is a single one without a name.
    fn parameters(&mut self) -> Option<(Vec<Parameter>, Option<Type>)> {
        self.expect("(")?;
        let (mut parameters, mut alone) = (Vec::new(), None);
        while !self.eat(")") {
            let variadic = self.is(0, "...");
            let named = self.is(1, ":");
            let name = if named || variadic { self.take()?.text } else { "" };
            if named {
                self.take();
            }
            let has_type = !(variadic && (self.is(0, ",") || self.is(0, ")")));
            let of = if has_type { Some(self.read_type()?) } else { None };
            let is_first = parameters.is_empty();
            parameters.push(Parameter {
                name: name.to_owned(),
                type_text: of.as_ref().map_or_else(|| "any".to_owned(), |of| of.text.clone()),
                optional: variadic || of.as_ref().is_some_and(|of| of.optional),
                variadic,
            });
            alone = of.filter(|_| is_first && name.is_empty());
            if !self.eat(",") {
                self.expect(")")?;
                break;
            }
        }
        Some((parameters, alone))
    }

    /// Parses what follows the name of a declared function.
    pub(super) fn signature(&mut self) -> Option<Signature> {
        if self.is(0, "<") {
            self.skip("<", ">")?;
        }
        let (mut parameters, _) = self.parameters()?;
        // The object of a method is not one of its arguments.
        parameters.retain(|parameter| {
            let name = if parameter.name.is_empty() { &parameter.type_text } else { &parameter.name };
            name != "self"
        });
        let returns = if self.eat(":") { self.read_type()?.text } else { "()".to_owned() };
        Some(Signature { parameters, returns })
    }

    fn named(&mut self) -> Option<Shape> {
        let mut name = self.word()?;
        if name == "typeof" {
            self.skip("(", ")")?;
            return Some(Shape::Other);
        }
        while self.eat(".") {
            name = format!("{name}.{}", self.word()?);
        }
        if self.is(0, "<") {
            self.skip("<", ">")?;
            return Some(Shape::Other);
        }
        Some(if self.eat("...") { Shape::Other } else { Shape::Name(name) })
    }

    fn table(&mut self) -> Option<Shape> {
        self.expect("{")?;
        let (mut fields, mut open) = (Vec::new(), false);
        loop {
            let doc = self.doc();
            if self.eat("}") {
                break;
            }
            match self.field(doc)? {
                Some(field) => fields.push(field),
                None => open = true,
            }
            if !(self.eat(",") || self.eat(";")) {
                self.expect("}")?;
                break;
            }
        }
        Some(if open || fields.is_empty() { Shape::Other } else { Shape::Table(fields) })
    }

    /// Parses a field of a table; an inner `None` for an indexer or a list element, which have no name.
    pub(super) fn field(&mut self, doc: String) -> Option<Option<Field>> {
        if self.eat("[") {
            self.read_type()?;
            self.expect("]")?;
            self.expect(":")?;
            self.read_type()?;
            return Some(None);
        }
        if (self.is(0, "read") || self.is(0, "write")) && self.is(2, ":") {
            self.take();
        }
        if !self.is(1, ":") {
            self.read_type()?;
            return Some(None);
        }
        let name = self.word()?;
        self.expect(":")?;
        Some(Some(Field { name, doc, of: self.read_type()?, method: false }))
    }
}

/// Joins a piece of source into one line without comments.
pub(super) fn flat(source: &str) -> String {
    let lines = source.lines().map(str::trim).filter(|line| !line.starts_with("--") && !line.is_empty());
    lines.map(|line| line.split_once(" --").map_or(line, |(code, _)| code.trim_end())).collect::<Vec<_>>().join(" ")
}
