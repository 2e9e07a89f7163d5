//! The script API as data, read from the type definitions for editors.
//!
//! So the guide, the linter and the editors agree.

mod markdown;
mod statements;
mod tokens;
mod types;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::EDITOR_TYPES;
use statements::{Declaration, statements};
use types::{Field, Shape, Signature, Type};

pub use markdown::reference_markdown;

/// The type whose fields are the hooks.
const HOOKS: &str = "Hooks";
/// The maximum depth to which type aliases are followed.
const ALIAS_DEPTH_MAX: usize = 4;

/// An item of the script API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiItem {
    /// The path: `sleep`, `store.get`, `on_message`; of types `Message`, `Message:edit`, `Message.text`.
    pub path: String,
    /// The kind of item.
    pub kind: ApiKind,
    /// The parameters in order, if it can be called.
    pub parameters: Vec<Parameter>,
    /// The return type; for a value its type; for a type its definition, or what it extends.
    pub returns: String,
    /// The description, in CommonMark.
    pub doc: String,
}

/// The kinds of API items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiKind {
    /// A function, global or in a table of functions.
    Function,
    /// A function called with a colon.
    Method,
    /// A global function that a script may define.
    Hook,
    /// A value: a table of functions, a field of a type, a constant.
    Value,
    /// A type.
    Type,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// The name; empty if the definitions give none, `...` for variadic arguments.
    pub name: String,
    /// The type as written.
    pub type_text: String,
    /// Whether it may be omitted.
    pub optional: bool,
    /// Whether it stands for any number of arguments.
    pub variadic: bool,
}

/// The result of [`read_types`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The declared items, in the order of the file.
    pub items: Vec<ApiItem>,
    /// The parts of the file that could not be parsed.
    pub unread: Vec<String>,
}

type Aliases<'a> = BTreeMap<&'a str, &'a Type>;

/// Returns the script API, in the order of the type definitions.
#[must_use]
pub fn api() -> Vec<ApiItem> {
    read_types(EDITOR_TYPES).items
}

/// Parses a file of type definitions, such as [`EDITOR_TYPES`].
#[must_use]
pub fn read_types(source: &str) -> Reading {
    let (statements, unread) = statements(source);
    let aliases: Aliases<'_> = statements
        .iter()
        .filter_map(|statement| match &statement.declaration {
            Declaration::Alias { of, .. } => Some((statement.name.as_str(), of)),
            Declaration::Function(_) | Declaration::Global(_) | Declaration::Class { .. } => None,
        })
        .collect();
    let mut items = Vec::new();
    for statement in &statements {
        let (name, doc) = (statement.name.as_str(), statement.doc.as_str());
        match &statement.declaration {
            Declaration::Function(signature) => items.push(callable(name, ApiKind::Function, signature, doc)),
            Declaration::Global(of) => add_global(name, doc, of, &aliases, &mut items),
            Declaration::Class { parent, members } => {
                let extends = parent.as_ref().map(|parent| format!("extends {parent}")).unwrap_or_default();
                items.push(value(name, ApiKind::Type, &extends, doc));
                items.extend(members.iter().map(|member| class_member(name, member)));
            }
            Declaration::Alias { of, .. } if name == HOOKS => items.extend(hooks(of)),
            Declaration::Alias { text, .. } => items.push(value(name, ApiKind::Type, text, doc)),
        }
    }
    Reading { items, unread }
}

impl ApiItem {
    /// Returns the signature, or the path if the item cannot be called.
    ///
    /// For example `store.get(key: string, default: any?): any`.
    #[must_use]
    pub fn signature(&self) -> String {
        if !matches!(self.kind, ApiKind::Function | ApiKind::Method | ApiKind::Hook) {
            return self.path.clone();
        }
        let parameters: Vec<String> = self.parameters.iter().map(Parameter::text).collect();
        let returns = if self.returns == "()" { String::new() } else { format!(": {}", self.returns) };
        format!("{}({}){returns}", self.path, parameters.join(", "))
    }

    /// Returns the first part of the path: the table, type or function that the item belongs to.
    #[must_use]
    pub fn root(&self) -> &str {
        self.path.split(['.', ':']).next().unwrap_or(&self.path)
    }
}

impl Parameter {
    fn text(&self) -> String {
        match self.name.as_str() {
            "" => self.type_text.clone(),
            name => format!("{name}: {}", self.type_text),
        }
    }
}

impl Signature {
    /// Merges two signatures of one function that can be called in two ways.
    fn or(mut self, other: &Self) -> Self {
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

fn callable(path: &str, kind: ApiKind, signature: &Signature, doc: &str) -> ApiItem {
    let Signature { parameters, returns } = signature.clone();
    ApiItem { path: path.to_owned(), kind, parameters, returns, doc: doc.to_owned() }
}

fn value(path: &str, kind: ApiKind, returns: &str, doc: &str) -> ApiItem {
    ApiItem { path: path.to_owned(), kind, parameters: Vec::new(), returns: returns.to_owned(), doc: doc.to_owned() }
}

/// Adds a global, then its fields: `store`, `store.get`, …
fn add_global<'a>(path: &str, doc: &str, of: &'a Type, aliases: &Aliases<'a>, items: &mut Vec<ApiItem>) {
    let (mut signature, mut fields) = (None, Vec::new());
    resolve(of, aliases, 0, &mut signature, &mut fields);
    items.push(match &signature {
        Some(signature) => callable(path, ApiKind::Function, signature, doc),
        None => value(path, ApiKind::Value, &of.text, doc),
    });
    if path.matches('.').count() < ALIAS_DEPTH_MAX {
        for field in fields {
            add_global(&format!("{path}.{}", field.name), &field.doc, &field.of, aliases, items);
        }
    }
}

/// Finds the signature and the fields of a type, following aliases.
fn resolve<'a>(
    of: &'a Type,
    aliases: &Aliases<'a>,
    depth: usize,
    signature: &mut Option<Signature>,
    fields: &mut Vec<&'a Field>,
) {
    match &of.shape {
        Shape::Function(one) => {
            *signature = Some(match signature.take() {
                Some(another) => another.or(one),
                None => one.clone(),
            });
        }
        Shape::Table(named) => fields.extend(named),
        Shape::All(parts) => {
            for part in parts {
                resolve(part, aliases, depth, signature, fields);
            }
        }
        Shape::Name(name) => {
            if let Some(of) = aliases.get(name.as_str()).copied().filter(|_| depth < ALIAS_DEPTH_MAX) {
                resolve(of, aliases, depth + 1, signature, fields);
            }
        }
        Shape::Other => {}
    }
}

fn class_member(class: &str, member: &Field) -> ApiItem {
    match &member.of.shape {
        Shape::Function(signature) if member.method => {
            callable(&format!("{class}:{}", member.name), ApiKind::Method, signature, &member.doc)
        }
        Shape::Function(signature) => {
            callable(&format!("{class}.{}", member.name), ApiKind::Function, signature, &member.doc)
        }
        Shape::Table(_) | Shape::All(_) | Shape::Name(_) | Shape::Other => {
            value(&format!("{class}.{}", member.name), ApiKind::Value, &member.of.text, &member.doc)
        }
    }
}

fn hooks(of: &Type) -> Vec<ApiItem> {
    let Shape::Table(fields) = &of.shape else { return Vec::new() };
    let hooks = fields.iter().filter_map(|field| match &field.of.shape {
        Shape::Function(signature) => Some(callable(&field.name, ApiKind::Hook, signature, &field.doc)),
        Shape::Table(_) | Shape::All(_) | Shape::Name(_) | Shape::Other => None,
    });
    hooks.collect()
}
